import { isSingle, type TenantTable } from './catalog.ts';
import type { Home } from './home.ts';
import type { Row } from './rows.ts';
import type { Operation } from './situations.ts';

/** Whose rows a statement is after, and where. */
export interface Aim {
  readonly home: Home;
  readonly table: TenantTable;
  /** Who runs the statement. */
  readonly actor: string;
  /** Another tenant, whose rows the statement names; else it is after everything. */
  readonly foreign: string | undefined;
}

/**
 * The text of a statement. Every column of its rows is a tenant's id, so that rows tell whose they are.
 * Assignments assign what is there already, which passes every check, and writes the row all the same.
 */
export const statements: Readonly<Record<Operation, (aim: Aim) => string>> = {
  select: (aim) => `select tenant_id from ${nameOf(aim)} t${where(aim)}`,
  insert: (aim) => `${insertion(aim, newRow(aim))} returning tenant_id`,
  'insert under a foreign parent': (aim) => `${insertion(aim, adoptedRow(aim))} returning tenant_id`,
  update: (aim) => `update ${nameOf(aim)} t set ${itself(aim)}${where(aim)} returning tenant_id`,
  delete: (aim) => `delete from ${nameOf(aim)} t${where(aim)} returning tenant_id`,
  upsert: (aim) =>
    `${insertion(aim, presentRow(aim))} on conflict (${quoted(aim.table.key)}) do update set ${itself(aim)} returning tenant_id`,
  'copy out': (aim) => `copy (select tenant_id from ${nameOf(aim)} t${where(aim)}) to stdout`,
  'copy in': (aim) => `copy ${nameOf(aim)} from stdin`,
  join: (aim) =>
    `select t.tenant_id as mine, u.tenant_id as theirs from ${nameOf(aim)} t join ${partnerOf(aim)} u on true${where(aim)}`,
  'sub-select': (aim) =>
    `select tenant_id from ${nameOf(aim)} t${where(aim, 'and')} exists (select from ${partnerOf(aim)} u where u.tenant_id = t.tenant_id)`,
  CTE: (aim) => `with x as materialized (select * from ${nameOf(aim)} t${where(aim)}) select tenant_id from x`,
  'writing CTE': (aim) => `with x as (${statements.update(aim)}) select tenant_id from x`,
  'raw SQL': (aim) =>
    `select tenant_id from ${nameOf(aim)} t where tenant_id = '${aim.foreign ?? aim.actor}' or true --'`,
};

/** Whether there is such a statement for a table: not every one has a parent, or room for a further row. */
export function isPossible(operation: Operation, table: TenantTable): boolean {
  if (operation === 'insert') return !isSingle(table);
  return operation !== 'insert under a foreign parent' || (!isSingle(table) && table.foreignKeys.length > 0);
}

const nameOf = ({ home, table }: Aim): string => home.nameOf(table);
const quoted = (columns: readonly string[]): string => columns.map((name) => `"${name}"`).join(', ');

/** A parent, or else the table itself. */
export function partnerTable({ home, table }: Aim): TenantTable {
  return home.tables.find(({ name }) => name === table.foreignKeys[0]?.parent) ?? table;
}

const partnerOf = (aim: Aim): string => aim.home.nameOf(partnerTable(aim));

function where({ foreign }: Aim, more = ''): string {
  if (foreign) return ` where t.tenant_id = '${foreign}' ${more}`;
  return more && ' where';
}

/** A column that may be assigned, the last one that there is. */
export function assignable({ table }: Aim): string {
  return table.columns.findLast(({ isGenerated, isNumbered }) => !isGenerated && !isNumbered)?.name ?? 'tenant_id';
}

const itself = (aim: Aim): string => `"${assignable(aim)}" = t."${assignable(aim)}"`;

const insertion = ({ home, table }: Aim, row: Row): string =>
  home.insertion(table, row).replace(home.nameOf(table), `${home.nameOf(table)} as t`);

/** Rows of one's own name no tenant: that is the column's default. */
function withoutOwnTenant({ actor }: Aim, { tenant_id: tenant = null, ...row }: Row): Row {
  return tenant === actor ? row : { tenant_id: tenant, ...row };
}

export const newRow = (aim: Aim): Row => withoutOwnTenant(aim, aim.home.nextRow(aim.table, aim.foreign ?? aim.actor));

export const presentRow = (aim: Aim): Row =>
  withoutOwnTenant(aim, aim.home.row(aim.table, aim.foreign ?? aim.actor, isSingle(aim.table) ? 1 : 2));

/** A row of one's own that hangs on rows of another tenant. */
export function adoptedRow(aim: Aim): Row {
  const theirs = aim.home.nextRow(aim.table, aim.foreign ?? aim.actor);
  const links = aim.table.foreignKeys.flatMap(({ columns }) => columns).filter((name) => name !== 'tenant_id');
  const row = { ...aim.home.nextRow(aim.table, aim.actor) };
  for (const name of links) row[name] = theirs[name] ?? null;
  return withoutOwnTenant(aim, row);
}

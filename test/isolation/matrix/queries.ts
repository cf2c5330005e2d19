import { type Kysely, sql } from 'kysely';
import type { TenantDatabase } from '../../../shared/database/tenant-database.ts';
import { isSingle, type TenantTable } from './catalog.ts';
import type { Rows } from './doors.ts';

import type { Operation } from './situations.ts';
import { type Aim, adoptedRow, assignable, newRow, partnerTable, presentRow, statements } from './statements.ts';

/** Tables that the catalog names, of which TypeScript knows nothing. */
type AnyTables = Record<string, Record<string, string | null>>;

/**
 * The same statements by the query builder, as services write them: they name the key of a row and never a tenant, other than rows
 * that are inserted. What the builder has no words for goes as text.
 */
export async function runQuery(database: TenantDatabase, operation: Operation, aim: Aim): Promise<Rows> {
  const query = builders[operation];
  if (query && isBuildable(aim.table)) return query(database as unknown as Kysely<AnyTables>, aim);
  // Without the schema, which the request brings along: the tenant may have moved.
  const text = statements[operation](aim).replaceAll(`"${aim.home.schema}".`, '');
  const { rows } = await sql.raw<Record<string, unknown>>(text).execute(database);
  return rows;
}

/** The builder has no words for numbering a row in place of Postgres. */
export const isBuildable = ({ columns }: TenantTable): boolean => !columns.some(({ isNumbered }) => isNumbered);

type Builder = (db: Kysely<AnyTables>, aim: Aim) => Promise<Rows>;

const builders: Partial<Record<Operation, Builder>> = {
  select: (db, aim) => db.selectFrom(aim.table.name).select('tenant_id').where(key(aim)).execute(),
  insert: (db, aim) => db.insertInto(aim.table.name).values(newRow(aim)).returning('tenant_id').execute(),
  'insert under a foreign parent': (db, aim) =>
    db.insertInto(aim.table.name).values(adoptedRow(aim)).returning('tenant_id').execute(),
  update: (db, aim) => db.updateTable(aim.table.name).set(itself(aim)).where(key(aim)).returning('tenant_id').execute(),
  delete: (db, aim) => db.deleteFrom(aim.table.name).where(key(aim)).returning('tenant_id').execute(),
  upsert: (db, aim) =>
    db
      .insertInto(aim.table.name)
      .values(presentRow(aim))
      .onConflict((conflict) => conflict.columns([...aim.table.key]).doUpdateSet(itself(aim)))
      .returning('tenant_id')
      .execute(),
  join: (db, aim) =>
    db
      .selectFrom(`${aim.table.name} as t`)
      .innerJoin(`${partnerTable(aim).name} as u`, (join) => join.onTrue())
      .select(['t.tenant_id as mine', 'u.tenant_id as theirs'])
      .where(key(aim, 't'))
      .execute(),
  'sub-select': (db, aim) =>
    db
      .selectFrom(aim.table.name)
      .select('tenant_id')
      .where(key(aim))
      .where('tenant_id', 'in', (eb) => eb.selectFrom(partnerTable(aim).name).select('tenant_id'))
      .execute(),
  CTE: (db, aim) =>
    db
      .with('x', (q) => q.selectFrom(aim.table.name).select('tenant_id').where(key(aim)))
      .selectFrom('x')
      .select('tenant_id')
      .execute(),
  'writing CTE': (db, aim) =>
    db
      .with('x', (q) => q.updateTable(aim.table.name).set(itself(aim)).where(key(aim)).returning('tenant_id'))
      .selectFrom('x')
      .select('tenant_id')
      .execute(),
};

/** The key of a row that only the other tenant has, without the tenant; or no condition. */
function key(aim: Aim, alias = aim.table.name) {
  if (!aim.foreign) return sql<boolean>`true`;
  const row = aim.home.row(aim.table, aim.foreign, 2);
  const columns = isSingle(aim.table) ? aim.table.key : aim.table.key.filter((name) => name !== 'tenant_id');
  return sql<boolean>`${sql.join(
    columns.map((name) => sql`${sql.ref(`${alias}.${name}`)} = ${row[name]}`),
    sql` and `,
  )}`;
}

const itself = (aim: Aim) => ({
  [assignable(aim)]: sql<string>`${sql.ref(`${aim.table.name}.${assignable(aim)}`)}`,
});

import { type Grammar, ownId, quote, type Scope, someRelation, type Source } from './grammar.ts';
import { selection } from './queries.ts';
import type { Column, Relation } from './reach.ts';
import { condition, literal, scalar } from './scalars.ts';

/**
 * An INSERT, UPDATE, DELETE or MERGE. Without RETURNING it is no statement of a cursor, but the check of what is written is then the
 * only one.
 */
export function write(g: Grammar, silentPercent: number, ctes: readonly Source[] = []): string {
  const target = someRelation(g);
  const alias = g.alias();
  const scope = [{ alias, columns: target.columns }];
  const isSilent = g.dice.chance(silentPercent);
  const result = (all: Scope) => (isSilent ? '' : returning(g, all));
  return g.dice.weighted(
    [4, () => `${insert(g, target, alias, ctes)}${result(scope)}`],
    [4, () => update(g, target, scope, result)],
    [2, () => remove(g, target, scope, result)],
    [2, () => `${merge(g, target, scope)}${isSilent ? '' : ` returning ${g.dice.pick(['*', 'merge_action(), *'])}`}`],
  );
}

function returning(g: Grammar, scope: Scope): string {
  if (g.dice.chance(50)) return ' returning *';
  return ` returning ${scalar(g, 'text', scope, 1)} as shown, ${scalar(g, 'uuid', scope, 0)} as id`;
}

const values: Readonly<Record<string, readonly string[]>> = {
  name: ["'mine ' || gen_random_uuid()", "'victim'", "'own'"],
  title: ["'mine'"],
  'pool.tasks status': ["'open'", "'done'"],
  'pool.idempotency_keys status': ["'COMPLETED'"],
  version: ['1', '2'],
  estimate_minutes: ['5', '-5', 'null'],
  expires_at: ['0'],
  id: ['gen_random_uuid()'],
  project_id: [quote(ownId)],
  key: ['gen_random_uuid()::text'],
};

/** What is written into a column: mostly what its checks let pass. */
function valueFor(g: Grammar, target: Relation, { name, type }: Column, scope: Scope): string {
  const { dice, lore } = g;
  if (name === 'tenant_id') return quote(dice.chance(45) ? dice.pick(lore.tenantIds) : (lore.tenantIds[0] ?? ''));
  const usual = values[name] ?? values[`${target.name} ${name}`];
  if (usual && dice.chance(75)) return dice.pick(usual);
  return dice.chance(60) ? literal(g, type) : scalar(g, type, scope, 1);
}

/** Columns without a default, and some of the others. */
function written(g: Grammar, { columns }: Relation): Column[] {
  const needed = new Set(['name', 'title', 'project_id', 'key', 'status', 'expires_at']);
  const chosen = columns.filter(({ name }) =>
    needed.has(name) ? !g.dice.chance(3) : g.dice.chance(name === 'tenant_id' ? 45 : 25),
  );
  return chosen.length > 0 ? chosen : columns.slice(0, 1);
}

function insert(g: Grammar, target: Relation, alias: string, ctes: readonly Source[]): string {
  const { dice } = g;
  const columns = written(g, target);
  const row = (scope: Scope) => columns.map((column) => valueFor(g, target, column, scope)).join(', ');
  const from = () => {
    const { sql, columns: offered } = selection(g, [], 1, ctes);
    const source = { alias: g.alias(), columns: offered };
    return `select ${row([source])} from (${sql}) as ${source.alias} limit 3`;
  };
  const source = dice.chance(35) ? from() : `values (${row([])})`;
  return `insert into ${target.name} as ${alias} (${names(columns)}) ${source}${onConflict(g, target, alias)}`;
}

function onConflict(g: Grammar, target: Relation, alias: string): string {
  const { dice } = g;
  if (!dice.chance(40)) return '';
  const key = target.keys.length > 0 && !dice.chance(10) ? `(${dice.pick(target.keys)})` : '(name)';
  if (dice.chance(40)) return ` on conflict ${dice.chance(50) ? key : ''} do nothing`;
  const scope = [
    { alias, columns: target.columns },
    { alias: 'excluded', columns: target.columns },
  ];
  const where = dice.chance(30) ? ` where ${condition(g, scope, 1)}` : '';
  return ` on conflict ${key} do update set ${assignments(g, target, scope)}${where}`;
}

function update(g: Grammar, target: Relation, scope: Scope, result: (all: Scope) => string): string {
  const { dice } = g;
  const { from, all } = dice.chance(25) ? anotherSource(g, 'from', scope) : { from: '', all: scope };
  const where = dice.chance(70) ? ` where ${condition(g, all, 2)}` : '';
  const head = `update ${target.name} as ${String(scope[0]?.alias)} set ${assignments(g, target, all)}`;
  return `${head}${from}${where}${result(all)}`;
}

function remove(g: Grammar, target: Relation, scope: Scope, result: (all: Scope) => string): string {
  const { dice } = g;
  const { from, all } = dice.chance(25) ? anotherSource(g, 'using', scope) : { from: '', all: scope };
  // Mostly of some rows only, so that there is something left for what follows.
  const where = dice.chance(85) ? ` where ${condition(g, all, 2)} and ${condition(g, all, 1)}` : '';
  return `delete from ${target.name} as ${String(scope[0]?.alias)}${from}${where}${result(all)}`;
}

function merge(g: Grammar, target: Relation, scope: Scope): string {
  const { dice } = g;
  const { from, all } = anotherSource(g, 'using', scope);
  const columns = written(g, target);
  const row = columns.map((column) => valueFor(g, target, column, all.slice(1)));
  const extra = dice.chance(30) ? ` and ${condition(g, all, 1)}` : '';
  const matched = dice.weighted(
    [3, () => `update set ${assignments(g, target, all)}`],
    [1, () => 'delete'],
    [1, () => 'do nothing'],
  );
  const on = dice.chance(30) ? 'true' : condition(g, all, 1);
  const bySource = dice.chance(10) ? ` when not matched by source then ${dice.pick(['delete', 'do nothing'])}` : '';
  return `merge into ${target.name} as ${String(scope[0]?.alias)}${from} on ${on} when matched${extra} then ${matched} when not matched then insert (${names(columns)}) values (${row.join(', ')})${bySource}`;
}

function anotherSource(g: Grammar, word: 'from' | 'using', scope: Scope): { from: string; all: Scope } {
  const { sql, columns } = selection(g, [], 1);
  const source = { alias: g.alias(), columns };
  return { from: ` ${word} (${sql}) as ${source.alias}`, all: [...scope, source] };
}

function assignments(g: Grammar, target: Relation, scope: Scope): string {
  const chosen = new Set(g.dice.list(2, () => g.dice.pick(target.columns)));
  return [...chosen].map((column) => `${column.name} = ${valueFor(g, target, column, scope)}`).join(', ');
}

const names = (columns: readonly Column[]): string => columns.map(({ name }) => name).join(', ');

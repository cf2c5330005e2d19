import { type Grammar, type Query, type Scope, someRelation, someRoutine, type Source } from './grammar.ts';
import { argumentsOf, condition, scalar } from './scalars.ts';
import type { Column } from './reach.ts';
import { tenantCondition } from './tenants.ts';

const resultTypes = ['text', 'text', 'text', 'uuid', 'integer', 'boolean', 'jsonb', 'date', 'timestamp with time zone'];

/** A SELECT with joins, sub-queries, grouping, windows, unions, and columns of the queries around it. */
export function selection(g: Grammar, outer: Scope, depth: number, ctes: readonly Source[] = []): Query {
  const { dice } = g;
  if (depth > 0 && dice.chance(12)) return union(g, outer, depth - 1, ctes);
  const { sql: from, scope: own } = fromList(g, outer, depth, ctes);
  const scope = [...own, ...outer];
  if (dice.chance(20))
    return {
      sql: `select ${own.map(({ alias }) => `${alias}.*`).join(', ')} ${from}${tail(g, scope, depth)}`,
      columns: [],
    };
  if (dice.chance(15)) return grouped(g, from, scope, depth);
  const columns: Column[] = dice.list(4, () => ({ name: g.alias(), type: dice.pick(resultTypes) }));
  const list = columns.map(({ name, type }) => `${windowOr(g, type, scope, depth)} as ${name}`);
  const distinct = dice.chance(6) ? 'distinct on (1) ' : '';
  return { sql: `select ${distinct}${list.join(', ')} ${from}${tail(g, scope, depth)}`, columns };
}

/** A query of one row and one column. */
export function scalarQuery(g: Grammar, type: string, outer: Scope, depth: number): string {
  const { sql: from, scope: own } = fromList(g, outer, depth, []);
  const scope = [...own, ...outer];
  const where = g.dice.chance(50) ? ` where ${condition(g, scope, depth - 1)}` : '';
  const value = scalar(g, type, scope, depth);
  // In a sub-query of its own: an aggregate of outer columns alone would be the outer query's.
  if (type === 'text' && g.dice.chance(50)) {
    const row = g.alias();
    return `select string_agg(${row}.v, ',') from (select ${value} as v ${from}${where} limit 50) as ${row}`;
  }
  return `select ${value} ${from}${where} limit 1`;
}

function union(g: Grammar, outer: Scope, depth: number, ctes: readonly Source[]): Query {
  const columns: Column[] = g.dice.list(3, () => ({ name: g.alias(), type: g.dice.pick(resultTypes) }));
  const part = () => {
    const { sql: from, scope: own } = fromList(g, outer, depth, ctes);
    const scope = [...own, ...outer];
    const list = columns.map(({ name, type }) => `${scalar(g, type, scope, depth)} as ${name}`);
    return `select ${list.join(', ')} ${from} where ${condition(g, scope, depth)}`;
  };
  const operator = g.dice.pick(['union all', 'union', 'except', 'intersect', 'except all']);
  return { sql: `(${part()} limit 20) ${operator} (${part()} limit 20)`, columns };
}

function grouped(g: Grammar, from: string, scope: Scope, depth: number): Query {
  const { dice } = g;
  const [key, list, row] = [g.alias(), g.alias(), g.alias()];
  const aggregate = dice.pick(['max', 'min', 'string_agg', 'array_agg', 'jsonb_agg', 'count']);
  const separator = aggregate === 'string_agg' ? `, ','` : '';
  const filter = dice.chance(20) ? ` filter (where ${row}.k is not null)` : '';
  const having = dice.chance(30) ? ` having count(*) > ${dice.below(2)}` : '';
  const where = dice.chance(40) ? ` where ${condition(g, scope, depth - 1)}` : '';
  const rows = `select ${scalar(g, 'text', scope, 0)} as k, ${scalar(g, 'text', scope, depth - 1)} as v ${from}${where} limit 50`;
  const value = `${aggregate}(${row}.v${separator})${filter}::text`;
  const columns = [key, list].map((name) => ({ name, type: 'text' }));
  const by = dice.pick([`${row}.k`, `rollup (${row}.k)`, `grouping sets ((${row}.k), ())`]);
  return {
    sql: `select ${row}.k as ${key}, ${value} as ${list} from (${rows}) as ${row} group by ${by}${having}`,
    columns,
  };
}

function windowOr(g: Grammar, type: string, scope: Scope, depth: number): string {
  const { dice } = g;
  if (depth < 1 || !dice.chance(8)) return scalar(g, type, scope, depth);
  const over = `over (partition by ${scalar(g, 'text', scope, 0)} order by ${scalar(g, 'uuid', scope, 0)})`;
  const call = dice.pick(['lag', 'lead', 'first_value', 'last_value']);
  return `${call}(${scalar(g, type, scope, depth - 1)}) ${over}`;
}

function tail(g: Grammar, scope: Scope, depth: number): string {
  const { dice } = g;
  const where = dice.chance(55) ? ` where ${condition(g, scope, depth)}` : '';
  const order = dice.chance(20) ? ' order by 1' : '';
  const lock = dice.chance(3) ? ` for ${dice.pick(['update', 'share', 'key share', 'no key update'])} skip locked` : '';
  return `${where}${order} limit ${20 + dice.below(20)}${dice.chance(5) ? ' offset 1' : ''}${lock}`;
}

function fromList(g: Grammar, outer: Scope, depth: number, ctes: readonly Source[]): { sql: string; scope: Source[] } {
  const { dice } = g;
  const first = fromItem(g, outer, depth, ctes);
  const scope = [first.source];
  let sql = `from ${first.sql}`;
  for (let joins = depth > 0 && dice.chance(45) ? 1 + dice.below(2) : 0; joins > 0; joins -= 1) {
    const isLateral = dice.chance(25);
    const next = fromItem(g, isLateral ? [...scope, ...outer] : outer, depth - 1, ctes, isLateral);
    scope.push(next.source);
    const kind = dice.pick(isLateral ? ['join', 'left join'] : ['join', 'left join', 'full join', 'right join']);
    const matches = () => (dice.chance(40) ? tenantCondition(g, scope) : condition(g, scope, Math.min(1, depth - 1)));
    // Anything but an equality is no condition that a full join can use.
    const on = kind === 'full join' ? 'true' : matches();
    sql += dice.chance(15) && kind === 'join' ? ` cross join ${next.sql}` : ` ${kind} ${next.sql} on ${on}`;
  }
  return { sql, scope };
}

function fromItem(
  g: Grammar,
  outer: Scope,
  depth: number,
  ctes: readonly Source[],
  isLateral = false,
): { sql: string; source: Source } {
  const { dice } = g;
  const alias = g.alias();
  const ofTable = () => {
    const { name, room, columns } = someRelation(g);
    // All combinations of rows of the catalog would take minutes.
    const table =
      room === 'catalog' ? `(select * from ${name} limit 5)` : dice.chance(50) ? name : name.replace(/^pool\./, '');
    return { sql: `${table} as ${alias}`, source: { alias, columns } };
  };
  const ofCte = () => {
    const cte = dice.pick(ctes);
    return { sql: `${cte.alias} as ${alias}`, source: { alias, columns: cte.columns } };
  };
  const ofQuery = () => {
    const { sql, columns } = selection(g, isLateral ? outer : [], depth - 1, ctes);
    return { sql: `${isLateral ? 'lateral ' : ''}(${sql}) as ${alias}`, source: { alias, columns } };
  };
  const ofRoutine = () => {
    const routine = someRoutine(g, ({ returnsSet, name }) => returnsSet || name === 'tenancy.current_tenant');
    if (!routine) return ofTable();
    const call = `${routine.name}(${argumentsOf(g, routine, isLateral ? outer : [], depth - 1)})`;
    return { sql: `(select v from ${call} as v limit 20) as ${alias}`, source: { alias, columns: [] } };
  };
  return dice.weighted(
    [12, ofTable],
    [ctes.length > 0 ? 10 : 0, ofCte],
    [depth > 0 ? 3 : 0, ofQuery],
    [depth > 0 ? 2 : 0, ofRoutine],
  );
}

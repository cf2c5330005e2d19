import fc from 'fast-check';
import { type Compilable, type SelectQueryBuilder, sql } from 'kysely';
import type { Database } from './database-scope-harness.ts';

/** A description of a query over tenant tables, from which the same query can be built twice. */
export interface Query {
  readonly sources: readonly Source[];
  readonly where: readonly Condition[];
  readonly isOr: boolean;
  /** Hides a table behind a common table expression of the same name. */
  readonly hides: { readonly name: TableName; readonly by: Query } | null;
  readonly union: { readonly kind: 'union' | 'unionAll' | 'except' | 'intersect'; readonly with: Query } | null;
  readonly isGrouped: boolean;
}

type TableName = 'projects' | 'tasks';
type JoinKind = 'innerJoin' | 'leftJoin' | 'rightJoin' | 'fullJoin' | 'crossJoin';

interface Source {
  readonly from: TableName | Query;
  /** How it is joined to what stands before it; the first one is not. */
  readonly join: JoinKind;
  /** Columns of both sides, compared. */
  readonly on: readonly [Column, Column];
}

type Column = 'id' | 'number' | 'label';
type Condition =
  | { readonly kind: 'number'; readonly source: number; readonly limit: number }
  | { readonly kind: 'null'; readonly source: number; readonly not: boolean }
  | { readonly kind: 'exists'; readonly query: Query; readonly not: boolean }
  | { readonly kind: 'in'; readonly source: number; readonly query: Query };

const columns: Readonly<Record<TableName, Readonly<Record<Column, string>>>> = {
  projects: { id: 'id', number: 'version', label: 'name' },
  tasks: { id: 'project_id', number: 'estimate_minutes', label: 'title' },
};

const tableName = fc.constantFrom<TableName>('projects', 'tasks');
const column = fc.constantFrom<Column>('id', 'number', 'label');

/** @param depth how many queries may stand inside of each other */
export function query(depth: number): fc.Arbitrary<Query> {
  const inner = depth > 0 ? query(depth - 1) : undefined;
  const source = fc.record({
    from: inner ? fc.oneof({ weight: 4, arbitrary: tableName }, { weight: 1, arbitrary: inner }) : tableName,
    join: fc.constantFrom<JoinKind>('innerJoin', 'leftJoin', 'rightJoin', 'fullJoin', 'crossJoin'),
    on: fc.oneof(
      column.map((name): [Column, Column] => [name, name]),
      fc.constant<[Column, Column]>(['number', 'number']),
    ),
  });
  return fc.record({
    sources: fc.array(source, { minLength: 1, maxLength: 3 }),
    where: fc.array(condition(inner), { maxLength: 2 }),
    isOr: fc.boolean(),
    hides: inner ? fc.option(fc.record({ name: tableName, by: inner }), { freq: 4 }) : fc.constant(null),
    union: inner
      ? fc.option(fc.record({ kind: fc.constantFrom('union', 'unionAll', 'except', 'intersect'), with: inner }), {
          freq: 3,
        })
      : fc.constant(null),
    isGrouped: fc.boolean(),
  });
}

function condition(inner: fc.Arbitrary<Query> | undefined): fc.Arbitrary<Condition> {
  const source = fc.nat(2);
  const number = fc.record({ kind: fc.constant('number'), source, limit: fc.integer({ min: 0, max: 20 }) });
  const isNull = fc.record({ kind: fc.constant('null'), source, not: fc.boolean() });
  if (!inner) return fc.oneof(number, isNull);
  const exists = fc.record({ kind: fc.constant('exists'), query: inner, not: fc.boolean() });
  return fc.oneof(number, isNull, exists, fc.record({ kind: fc.constant('in'), source, query: inner }));
}

type Builder = SelectQueryBuilder<Record<string, never>, string, object>;

/** The query itself. Its columns are always id, number and label, as text. */
export function build(db: Database, description: Query): Compilable {
  return select(db, description, []);
}

function select(
  db: Database,
  { sources, where, isOr, hides, union, isGrouped }: Query,
  hidden: readonly TableName[],
): Builder {
  const inScope = hides ? [...hidden, hides.name] : hidden;
  const creator = hides ? db.with(hides.name, () => select(db, hides.by, hidden) as never) : db;
  const nameOf = (index: number, name: Column) => {
    const from = sources[Math.min(index, sources.length - 1)]?.from ?? 'projects';
    const isPlain = typeof from !== 'string' || inScope.includes(from);
    return sql.ref(`s${Math.min(index, sources.length - 1)}.${isPlain ? name : columns[from][name]}`);
  };
  const text = (index: number, name: Column) => sql<string>`${nameOf(index, name)}::text`;
  const tableOf = (from: TableName | Query, index: number) =>
    typeof from === 'string' ? `${from} as s${index}` : select(db, from, inScope).as(`s${index}`);

  let builder = creator.selectFrom(tableOf(sources[0]?.from ?? 'projects', 0) as never) as unknown as Builder;
  sources.slice(1).forEach(({ from, join, on: [left, right] }, before) => {
    const index = before + 1;
    const condition = sql<boolean>`${text(before, left)} = ${text(index, right)}`;
    const table = tableOf(from, index) as never;
    builder =
      join === 'crossJoin'
        ? (builder.crossJoin(table) as never)
        : (builder[join as 'innerJoin'](table, (on) => on.on(condition)) as never);
  });
  const conditions = where.map((item) => conditionOf(db, item, inScope, text));
  if (conditions.length > 0)
    builder = builder.where((eb) => (isOr ? eb.or(conditions) : sql`${sql.join(conditions, sql` and `)}`) as never);
  const last = sources.length - 1;
  builder = builder.select([
    text(0, 'id').as('id'),
    text(last, 'number').as('number'),
    text(last, 'label').as('label'),
  ]);
  if (isGrouped) builder = builder.groupBy(sql`1, 2, 3`);
  return union ? builder[union.kind](sql`(${select(db, union.with, inScope)})` as never) : builder;
}

function conditionOf(
  db: Database,
  item: Condition,
  hidden: readonly TableName[],
  text: (index: number, name: Column) => unknown,
) {
  switch (item.kind) {
    case 'number':
      return sql<boolean>`${text(item.source, 'number')}::int <= ${item.limit} or ${text(item.source, 'number')} = '0'`;
    case 'null':
      return sql<boolean>`${text(item.source, 'id')} is ${sql.raw(item.not ? 'not null' : 'null')}`;
    case 'exists':
      return sql<boolean>`${sql.raw(item.not ? 'not exists' : 'exists')} ${select(db, item.query, hidden)}`;
    case 'in':
      return sql<boolean>`${text(item.source, 'id')} in (select id from ${select(db, item.query, hidden)} as x)`;
  }
}

import {
  type Expression as SqlExpression,
  expressionBuilder,
  type RawBuilder,
  type SelectQueryBuilder,
  sql,
} from 'kysely';
import { type Hidden, nameOf, type TextOf, textOf } from './database-scope-columns.ts';
import type { Database } from './database-scope-harness.ts';
import type { Condition, Expression, Query, Source } from './database-scope-random.ts';

export type Builder = SelectQueryBuilder<Record<string, never>, string, object>;

/** The query itself. Its columns are always id, number and label, as text. */
export function select(db: Database, given: Query, hidden: Hidden): Builder {
  const query = {
    ...given,
    sources: given.sources.map((source, index) => (index < listedOf(given) ? listed(source) : source)),
  };
  const { sources, where, isOr, union, label } = query;
  const { creator, inScope } = withExpression(db, query.expression, hidden);
  const text = textOf(sources, inScope);
  const conditions = where.map((item) => conditionOf(db, item, inScope, text));
  const last = sources.length - 1;
  let builder = from(creator, db, query, inScope, text);
  if (conditions.length > 0) builder = builder.where((eb) => joined(eb, conditions, isOr) as never);
  builder = builder.select([
    text(0, 'id').as('id'),
    text(last, 'number').as('number'),
    labelOf(db, query, inScope, text).as('label'),
  ]);
  builder = shaped(builder, query, label !== 'plain' || union !== null);
  if (union) builder = builder[union.kind](sql`(${select(db, unlocked(union.with), inScope)})` as never);
  return query.limit === null ? builder : inOrder(builder).limit(query.limit);
}

/** How many sources stand in `from`; the others are joined. */
const listedOf = ({ isList, sources }: Query): number => (isList && sources.length > 1 ? 2 : 1);
const listed = (source: Source): Source => ({ ...source, join: 'innerJoin' });

/** Postgres locks no rows of a union. */
const unlocked = (query: Query): Query => (query.shape === 'lock' ? { ...query, shape: 'plain' } : query);

type Or = { or: (conditions: never) => unknown };

export const joined = (eb: unknown, conditions: readonly unknown[], isOr: boolean): unknown =>
  isOr ? (eb as Or).or(conditions as never) : sql`${sql.join(conditions, sql` and `)}`;

const inOrder = (builder: Builder): Builder =>
  builder
    .orderBy(sql`1`)
    .orderBy(sql`2`)
    .orderBy(sql`3`);

/** The database, or its builder with the common table expression, and the names that can be seen then. */
export function withExpression(db: Database, expression: Expression | null, hidden: Hidden) {
  if (!expression) return { creator: db, inScope: hidden };
  const { name, by, isRecursive } = expression;
  const inScope = [...hidden, name];
  if (!isRecursive || name !== 'extra')
    return { creator: db.with(name, () => select(db, by, hidden) as never) as never as Database, inScope };
  const base = sql`(${select(
    db,
    by,
    hidden.filter((other) => other !== name),
  )})`.as('base');
  const creator = db.withRecursive(
    'extra(id, number, label)' as never,
    ((scope: Database) => walk(scope, base)) as never,
  );
  return { creator: creator as never as Database, inScope };
}

/** The rows of the base, and tasks that are reached from them. */
function walk(scope: Database, base: unknown): Builder {
  const step = (scope.selectFrom(['extra as r', 'pool.tasks as t'] as never) as unknown as Builder)
    .where(sql<boolean>`t.project_id::text = r.id and t.estimate_minutes > 0` as never)
    .select([sql`t.project_id::text`.as('id'), sql`t.estimate_minutes::text`.as('number'), sql`t.title`.as('label')]);
  return (scope.selectFrom(base as never) as unknown as Builder).selectAll().union(step as never);
}

/** A source as it stands in `from`, `join` or `using`. */
export function reference(db: Database, source: Source, hidden: Hidden, alias: string): never {
  const { from, via } = source;
  if (typeof from !== 'string') return select(db, from, hidden).as(alias) as never;
  const name = nameOf(from, hidden);
  if (via === 'schema' && name !== 'extra') return `pool.${name} as ${alias}` as never;
  return (via === 'fragment' ? sql.table(name).as(alias) : `${name} as ${alias}`) as never;
}

function from(creator: Database, db: Database, query: Query, hidden: Hidden, text: TextOf): Builder {
  const count = listedOf(query);
  const tables = query.sources.slice(0, count).map((source, index) => reference(db, source, hidden, `s${index}`));
  const builder = creator.selectFrom((count > 1 ? tables : tables[0]) as never) as unknown as Builder;
  return joinSources(builder, db, query.sources, count, hidden, text, 's');
}

/** Joins what stands behind the first `done` sources, each to the one before it. */
export function joinSources<B>(
  builder: B,
  db: Database,
  sources: readonly Source[],
  done: number,
  hidden: Hidden,
  text: TextOf,
  prefix: string,
): B {
  return sources.slice(done).reduce((result, source, offset) => {
    const index = offset + done;
    const { join, on } = source;
    const table = reference(db, source, hidden, `${prefix}${index}`);
    const matches = sql<boolean>`${text(index - 1, on[0])} = ${text(index, on[1])}`;
    const joining = result as unknown as Builder;
    if (join === 'crossJoin') return joining.crossJoin(table) as B;
    if (!join.endsWith('Lateral')) return joining[join as 'innerJoin'](table, (by) => by.on(matches)) as B;
    const beside = sql<boolean>`${sql.ref(`b.${on[1]}`)} = ${text(index - 1, on[0])}`;
    const lateral = (db.selectFrom(select(db, asQuery(source), hidden).as('b') as never) as unknown as Builder)
      .selectAll()
      .where(beside as never);
    return joining[join as 'innerJoinLateral'](lateral.as(`${prefix}${index}`) as never, (by) => by.onTrue()) as B;
  }, builder);
}

/** A query that reads the source and nothing else. */
const asQuery = (source: Source): Query => ({
  kind: 'query',
  sources: [listed(source)],
  isList: false,
  where: [],
  isOr: false,
  expression: null,
  union: null,
  shape: 'plain',
  label: 'plain',
  limit: null,
});

function labelOf(db: Database, { label, sources }: Query, hidden: Hidden, text: TextOf): RawBuilder<string> {
  const plain = text(sources.length - 1, 'label');
  const { fn } = expressionBuilder<Record<string, never>>();
  if (label === 'plain') return plain;
  if (label === 'window')
    return sql<string>`(${fn.countAll().over((over) => over.partitionBy(text(0, 'id') as never))})::text`;
  const of = select(db, label.scalar, hidden) as unknown as SqlExpression<unknown>;
  return sql<string>`(select max(x.label) from (${of}) as x where x.id = ${text(0, 'id')})`;
}

/** Groups, picks or locks rows, as far as the rest of the query allows it. */
function shaped(builder: Builder, { shape, union, limit, sources }: Query, isBusy: boolean): Builder {
  if (shape === 'lock') {
    const isLockable =
      !isBusy && sources.every(({ from, join }) => typeof from === 'string' && /inner|cross/.test(join));
    return isLockable ? builder.forUpdate() : builder;
  }
  if (shape === 'distinct on') {
    if (union) return builder;
    const picked = builder.distinctOn(sql`1` as never);
    return limit === null ? inOrder(picked) : picked;
  }
  if (shape === 'plain' || isBusy) return builder;
  const grouped = builder.groupBy(sql`1, 2, 3`);
  return shape === 'having' ? grouped.having(sql<number>`count(*)`, '>', 1) : grouped;
}

export function conditionOf(db: Database, item: Condition, hidden: Hidden, text: TextOf): SqlExpression<boolean> {
  switch (item.kind) {
    case 'number':
      return sql<boolean>`${text(item.source, 'number')}::int <= ${item.limit}`;
    case 'null':
      return sql<boolean>`${text(item.source, 'id')} is ${sql.raw(item.not ? 'not null' : 'null')}`;
    case 'fragment':
      return sql<boolean>`${text(item.source, 'number')}::int > ${item.limit} or ${text(item.source, 'number')} = '0'`;
    case 'exists':
      return existsOf(select(db, item.query, hidden), item.not, item.isFragment);
    case 'in':
      return inOf(text(item.source, 'id'), select(db, item.query, hidden), item.isFragment);
  }
}

function existsOf(query: Builder, not: boolean, isFragment: boolean): SqlExpression<boolean> {
  if (isFragment) return sql<boolean>`${sql.raw(not ? 'not exists' : 'exists')} ${query}`;
  const eb = expressionBuilder<Record<string, never>>();
  const exists = eb.exists(query as never) as SqlExpression<boolean>;
  return not ? (eb.not(exists as never) as SqlExpression<boolean>) : exists;
}

function inOf(value: RawBuilder<string>, query: Builder, isFragment: boolean): SqlExpression<boolean> {
  if (isFragment) return sql<boolean>`${value} in (select id from ${query} as x)`;
  const ids = (
    expressionBuilder<Record<string, never>>().selectFrom(query.as('x') as never) as unknown as Builder
  ).select('x.id');
  return expressionBuilder<Record<string, never>>()(value as never, 'in', ids as never) as SqlExpression<boolean>;
}

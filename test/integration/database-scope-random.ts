import fc from 'fast-check';

export type TableName = 'projects' | 'tasks';
export type Column = 'id' | 'number' | 'label';

/** A description of a query over tenant tables, from which the same query can be built twice. */
export interface Query {
  readonly kind: 'query';
  readonly sources: readonly Source[];
  /** Whether the first two sources stand side by side, as in `from a, b`. */
  readonly isList: boolean;
  readonly where: readonly Condition[];
  readonly isOr: boolean;
  readonly expression: Expression | null;
  readonly union: { readonly kind: 'union' | 'unionAll' | 'except' | 'intersect'; readonly with: Query } | null;
  readonly shape: Shape;
  /** What becomes of the third column. */
  readonly label: 'plain' | 'window' | { readonly scalar: Query };
  /** Rows that are left after sorting. */
  readonly limit: number | null;
}

export type Shape = 'plain' | 'group' | 'having' | 'distinct on' | 'lock';

/** A common table expression: it hides a table of the same name, or may be read by a name of its own. */
export interface Expression {
  readonly name: TableName | 'extra';
  readonly by: Query;
  /** Walks on from its own rows; only under a name of its own. */
  readonly isRecursive: boolean;
}

export interface Source {
  readonly from: TableName | 'extra' | Query;
  /** How a table is named: as such, with its schema, or by `sql.table`. */
  readonly via: 'name' | 'schema' | 'fragment';
  /** How it is joined to what stands before it; the first one is not. */
  readonly join: JoinKind;
  /** Columns of both sides, compared. */
  readonly on: readonly [Column, Column];
}

type JoinKind = (typeof joins)[number];

export type Condition =
  | { readonly kind: 'number'; readonly source: number; readonly limit: number }
  | { readonly kind: 'null'; readonly source: number; readonly not: boolean }
  /** A fragment with an `or` at its top, which may not reach beyond the tenant's condition. */
  | { readonly kind: 'fragment'; readonly source: number; readonly limit: number }
  | { readonly kind: 'exists'; readonly query: Query; readonly not: boolean; readonly isFragment: boolean }
  | { readonly kind: 'in'; readonly source: number; readonly query: Query; readonly isFragment: boolean };

export const tableName = fc.constantFrom<TableName>('projects', 'tasks');
const column = fc.constantFrom<Column>('id', 'number', 'label');
const simpleJoins = ['innerJoin', 'leftJoin', 'rightJoin', 'fullJoin'] as const;
const joins = [...simpleJoins, 'crossJoin', 'innerJoinLateral', 'leftJoinLateral'] as const;

const shapes: readonly Shape[] = ['plain', 'plain', 'group', 'having', 'distinct on'];

/**
 * @param depth how many queries may stand inside of each other
 * @param isLocking not for queries inside of a write: where such a one locks and limits its rows, it depends on Postgres's plan how
 * often it runs, and hence which rows are written
 */
export function query(depth: number, isLocking = true): fc.Arbitrary<Query> {
  const inner = depth > 0 ? query(depth - 1, isLocking) : undefined;
  const deeper = <T>(make: (inner: fc.Arbitrary<Query>) => fc.Arbitrary<T>, freq: number): fc.Arbitrary<T | null> =>
    inner ? fc.option(make(inner), { freq }) : fc.constant(null);
  return fc.record({
    kind: fc.constant('query'),
    sources: fc.array(source(inner), { minLength: 1, maxLength: 3 }),
    isList: fc.boolean(),
    where: fc.array(condition(inner), { maxLength: 2 }),
    isOr: fc.boolean(),
    expression: deeper(expression, 2),
    union: deeper(
      (query) => fc.record({ kind: fc.constantFrom('union', 'unionAll', 'except', 'intersect'), with: query }),
      3,
    ),
    shape: fc.constantFrom<Shape>(...shapes, ...(isLocking ? (['lock'] as const) : [])),
    label: inner
      ? fc.oneof(fc.constantFrom('plain', 'window'), fc.record({ scalar: inner }))
      : fc.constantFrom('plain', 'window'),
    limit: fc.option(fc.integer({ min: 1, max: 5 }), { freq: 3 }),
  });
}

export function expression(by: fc.Arbitrary<Query>): fc.Arbitrary<Expression> {
  const name = fc.constantFrom<Expression['name']>('projects', 'tasks', 'extra', 'extra');
  return fc.record({ name, by, isRecursive: fc.boolean() });
}

/** A source of an update or a delete, for which Kysely has not every kind of join. */
export const writeSource = (inner: fc.Arbitrary<Query>): fc.Arbitrary<Source> => source(inner, simpleJoins);

function source(inner: fc.Arbitrary<Query> | undefined, kinds: readonly JoinKind[] = joins): fc.Arbitrary<Source> {
  const name = fc.oneof({ weight: 3, arbitrary: tableName }, { weight: 1, arbitrary: fc.constant('extra' as const) });
  return fc.record({
    from: inner ? fc.oneof({ weight: 4, arbitrary: name }, { weight: 1, arbitrary: inner }) : name,
    via: fc.constantFrom('name', 'name', 'schema', 'fragment'),
    join: fc.constantFrom(...kinds),
    on: fc.oneof(
      column.map((name): [Column, Column] => [name, name]),
      fc.constant<[Column, Column]>(['number', 'number']),
    ),
  });
}

export function condition(inner: fc.Arbitrary<Query> | undefined): fc.Arbitrary<Condition> {
  const source = fc.nat(2);
  const limit = fc.integer({ min: 0, max: 20 });
  const simple = fc.oneof(
    fc.record({ kind: fc.constant('number'), source, limit }),
    fc.record({ kind: fc.constant('null'), source, not: fc.boolean() }),
    fc.record({ kind: fc.constant('fragment'), source, limit }),
  );
  if (!inner) return simple;
  const isFragment = fc.boolean();
  return fc.oneof(
    simple,
    fc.record({ kind: fc.constant('exists'), query: inner, not: fc.boolean(), isFragment }),
    fc.record({ kind: fc.constant('in'), source, query: inner, isFragment }),
  );
}

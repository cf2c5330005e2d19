import fc from 'fast-check';
import {
  type Condition,
  condition,
  type Expression,
  expression,
  type Query,
  query,
  type Source,
  type TableName,
  tableName,
  writeSource,
} from './database-scope-random.ts';

interface Common {
  readonly table: TableName;
  readonly isReturning: boolean;
  /** A query, or another write, that stands before it in a WITH. */
  readonly first: Expression | { readonly name: 'extra' | TableName; readonly by: Write } | null;
}

interface Filtered {
  /** Other tables that it reads, and their joins. */
  readonly others: readonly Source[];
  /** Compared with the rows of the first other table. */
  readonly isMatched: boolean;
  readonly where: readonly Condition[];
  readonly isOr: boolean;
}

export interface Insert extends Common {
  readonly kind: 'insert';
  readonly rows: readonly InsertRow[];
  readonly conflict: Conflict;
}

export interface InsertRow {
  readonly id: number;
  readonly project: number;
  /** Whether the row says whose it is. */
  readonly isNamed: boolean;
}

export type Conflict = 'fails' | 'does nothing' | 'does nothing by key' | 'updates' | 'updates some';

export interface InsertFrom extends Common {
  readonly kind: 'insert from';
  readonly query: Query;
  readonly isFragment: boolean;
}

export interface Update extends Common, Filtered {
  readonly kind: 'update';
  readonly to: 'a constant' | 'itself' | Query;
}

export interface Delete extends Common, Filtered {
  readonly kind: 'delete';
}

export interface Merge extends Common {
  readonly kind: 'merge';
  readonly using: Source;
  readonly whens: readonly When[];
}

export interface When {
  readonly is: 'matched' | 'not matched' | 'not matched by source';
  readonly and: boolean;
  readonly then: 'update' | 'delete' | 'nothing';
}

export type Write = Insert | InsertFrom | Update | Delete | Merge;

/** @param depth how many queries may stand inside of each other */
export function write(depth: number): fc.Arbitrary<Write> {
  const inner = query(Math.max(0, depth - 1), false);
  const common = { table: tableName, isReturning: fc.boolean(), first: fc.option(first(depth, inner), { freq: 2 }) };
  const filtered = {
    others: fc.array(writeSource(inner), { maxLength: 3 }),
    isMatched: fc.boolean(),
    where: fc.array(condition(inner), { maxLength: 2 }),
    isOr: fc.boolean(),
  };
  return fc.oneof(
    fc.record({ ...common, kind: fc.constant('insert'), rows: rows(), conflict: conflict() }),
    fc.record({ ...common, kind: fc.constant('insert from'), query: inner, isFragment: fc.boolean() }),
    fc.record({
      ...common,
      ...filtered,
      kind: fc.constant('update'),
      to: fc.oneof(fc.constantFrom('a constant', 'itself'), inner),
    }),
    fc.record({ ...common, ...filtered, kind: fc.constant('delete') }),
    fc.record({
      ...common,
      kind: fc.constant('merge'),
      using: writeSource(inner),
      whens: whens(),
    }),
  );
}

function first(depth: number, inner: fc.Arbitrary<Query>): fc.Arbitrary<NonNullable<Common['first']>> {
  if (depth < 1) return expression(inner);
  // Kysely leaves out the parentheses around a merge there.
  const simple = write(0).filter(({ kind }) => kind !== 'merge');
  const by = simple.map((made) => ({ ...made, isReturning: true, first: null }));
  const name = fc.constantFrom<'extra' | TableName>('extra', 'projects', 'tasks');
  return fc.oneof(expression(inner), fc.record({ name, by }));
}

function rows(): fc.Arbitrary<readonly InsertRow[]> {
  const row = fc.record({
    id: fc.integer({ min: 1, max: 9 }),
    project: fc.integer({ min: 1, max: 4 }),
    isNamed: fc.boolean(),
  });
  return fc.uniqueArray(row, { selector: ({ id }) => id, minLength: 1, maxLength: 3 });
}

const conflict = (): fc.Arbitrary<Conflict> =>
  fc.constantFrom<Conflict>('fails', 'does nothing', 'does nothing by key', 'updates', 'updates some');

/** What stands behind an unconditional branch of the same kind is unreachable, which Postgres refuses. */
function whens(): fc.Arbitrary<readonly When[]> {
  const when = fc.record({
    is: fc.constantFrom<When['is']>('matched', 'not matched', 'not matched by source'),
    and: fc.boolean(),
    then: fc.constantFrom<When['then']>('update', 'delete', 'nothing'),
  });
  return fc
    .uniqueArray(when, { selector: ({ is, and }) => `${is} ${and}`, minLength: 1, maxLength: 3 })
    .map((list) => list.toSorted((a, b) => Number(b.and) - Number(a.and)));
}

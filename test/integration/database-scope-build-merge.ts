import { sql } from 'kysely';
import { reference } from './database-scope-build.ts';
import { columns, type Hidden, textOf } from './database-scope-columns.ts';
import { returned, type Statement, type Writing } from './database-scope-build-statement.ts';
import type { Database } from './database-scope-harness.ts';
import type { TableName } from './database-scope-random.ts';
import type { Merge, When } from './database-scope-random-writes.ts';

/** What is common to Kysely's builders of a merge; their types differ with the tables. */
interface Merging extends Writing {
  using(table: unknown, on: unknown): Merging;
  whenMatched(): Merging;
  whenMatchedAnd(condition: unknown): Merging;
  whenNotMatched(): Merging;
  whenNotMatchedAnd(condition: unknown): Merging;
  whenNotMatchedBySource(): Merging;
  whenNotMatchedBySourceAnd(condition: unknown): Merging;
  thenUpdateSet(values: Record<string, unknown>): Merging;
  thenDelete(): Merging;
  thenDoNothing(): Merging;
  thenInsertValues(values: Record<string, unknown>): Merging;
}

export function merge(creator: Database, db: Database, write: Merge, hidden: Hidden): Statement {
  const { table, using, whens } = write;
  const source = textOf([using], hidden, 'o');
  const target = sql`w0.${sql.ref(columns[table].id)}::text`;
  const on = (join: { on(condition: unknown): unknown }) => join.on(sql<boolean>`${target} = ${source(0, 'id')}`);
  const merging = (creator.mergeInto(`${table} as w0`) as unknown as Merging).using(
    reference(db, using, hidden, 'o0'),
    on,
  );
  return returned(
    whens.reduce((result, when) => then(branch(result, when, table), when, table, source), merging),
    write,
    'w0',
  );
}

function branch(merging: Merging, { is, and }: When, table: TableName): Merging {
  // An `or` at its top may not reach beyond the tenant's condition.
  const some = sql<boolean>`${sql.ref(`w0.${columns[table].number}`)} > 1 or true`;
  if (is === 'matched') return and ? merging.whenMatchedAnd(some) : merging.whenMatched();
  if (is === 'not matched')
    return and ? merging.whenNotMatchedAnd(sql<boolean>`1 = 1 or true`) : merging.whenNotMatched();
  return and ? merging.whenNotMatchedBySourceAnd(some) : merging.whenNotMatchedBySource();
}

function then(merging: Merging, { is, then }: When, table: TableName, source: ReturnType<typeof textOf>): Merging {
  if (then === 'nothing') return merging.thenDoNothing();
  if (is === 'not matched') {
    const { label } = columns[table];
    const id = sql`md5(concat(${source(0, 'id')}, ${source(0, 'number')}, ${source(0, 'label')}))::uuid`;
    const project = table === 'tasks' ? { project_id: sql`${source(0, 'id')}::uuid` } : {};
    return merging.thenInsertValues({ id, [label]: sql`concat('Merged ', ${source(0, 'id')})`, ...project });
  }
  return then === 'delete' ? merging.thenDelete() : merging.thenUpdateSet({ [columns[table].number]: 88 });
}

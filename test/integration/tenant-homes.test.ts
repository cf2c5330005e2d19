import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { tenantHomeName } from '../../shared/contract/index.ts';
import { tenantHomes } from '../../shared/control/index.ts';
import { startControlRegistry } from '../helpers/control-registry.ts';
import type { TestTenantDatabase } from '../helpers/tenant-database.ts';

let database: TestTenantDatabase;
beforeAll(async () => {
  database = await startControlRegistry([], 'operations');
  // A row for each relation or function that is dropped, by the transaction that does it.
  await database.postgres.superuser.query(`
    create table public.dropped (transaction xid8 not null default pg_current_xact_id(), kind text not null);
    create function public.note_drop() returns event_trigger language plpgsql security definer as $$ begin
      insert into public.dropped (kind) select object_type from pg_event_trigger_dropped_objects()
        where object_type in ('table', 'view', 'materialized view', 'sequence', 'function', 'procedure');
    end $$;
    create event trigger note_drop on sql_drop execute function public.note_drop()`);
});
afterAll(() => database[Symbol.asyncDispose]());
beforeEach(() => database.postgres.superuser.query('truncate public.dropped'));

/** Drops a home with what these statements have made in it, and tells how many of each kind, and of all in one transaction, were dropped. */
async function dropWith(tenantId: string, statements: (schema: string) => readonly string[]) {
  const { superuser, owner, placement } = database.postgres;
  const schema = tenantHomeName(tenantId);
  const home = { tenantId, placement: { ...placement, model: 'bridge', schema }, operationId: '', turn: 0 } as const;
  await tenantHomes.make(home);
  await owner.query(statements(schema).join(';'));

  await tenantHomes.drop(home);

  expect((await superuser.query('select from pg_namespace where nspname = $1', [schema])).rows).toEqual([]);
  const { rows: kinds } = await superuser.query<{ kind: string; count: number }>(
    'select kind, count(*)::int from public.dropped group by kind',
  );
  const { rows: most } = await superuser.query<{ most: number }>(
    'select max(n)::int as most from (select count(*) as n from public.dropped group by transaction) t',
  );
  return { kinds: Object.fromEntries(kinds.map(({ kind, count }) => [kind, count])), most: most[0]?.most };
}
const times = (count: number, statement: (n: number) => string): string[] =>
  Array.from({ length: count }, (_, n) => statement(n));

test('a home is dropped ten tables a transaction, so that no other tenant waits for all of its locks', async () => {
  const { kinds, most } = await dropWith('large', (schema) =>
    times(30, (n) => `create table ${schema}.more_${n} (n int)`),
  );
  expect(kinds).toMatchObject({ table: 33 });
  expect(most).toBeLessThanOrEqual(10);
});

test('so are partitions, views, sequences and functions, whatever depends on what', async () => {
  const { kinds, most } = await dropWith('various', (schema) => [
    `create table ${schema}.parts (at date) partition by range (at)`,
    ...times(40, (n) => `create table ${schema}.part_${n} (at date)`),
    ...times(
      40,
      (n) =>
        `alter table ${schema}.parts attach partition ${schema}.part_${n}
           for values from (date '2026-01-01' + ${n}) to (date '2026-01-01' + ${n + 1})`,
    ),
    ...times(15, (n) => `create function ${schema}.function_${n}() returns int language sql return ${n}`),
    `create procedure ${schema}.does() language sql as 'select 1'`,
    `create view ${schema}.view_0 as select at from ${schema}.parts`,
    ...times(
      25,
      (n) => `create view ${schema}.view_${n + 1} as select at, ${schema}.function_0() from ${schema}.view_0`,
    ),
    `create materialized view ${schema}.kept as select at from ${schema}.view_25`,
    ...times(12, (n) => `create sequence ${schema}.sequence_${n}`),
    `create type ${schema}.mood as enum ('calm')`,
  ]);
  expect(kinds).toEqual({
    table: 44,
    view: 26,
    'materialized view': 1,
    sequence: 12,
    function: 15,
    procedure: 1,
  });
  expect(most).toBeLessThanOrEqual(10);
});

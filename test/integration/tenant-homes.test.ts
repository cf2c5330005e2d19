import { afterAll, beforeAll, expect, test } from 'vitest';
import { tenantHomeName } from '../../shared/contract/index.ts';
import { tenantHomes } from '../../shared/control/index.ts';
import { startControlRegistry } from '../helpers/control-registry.ts';
import type { TestTenantDatabase } from '../helpers/tenant-database.ts';

let database: TestTenantDatabase;
beforeAll(async () => {
  database = await startControlRegistry([], 'operations');
  // A row for each table that is dropped, by the transaction that does it.
  await database.postgres.superuser.query(`
    create table public.dropped (transaction xid8 not null default pg_current_xact_id());
    create function public.note_drop() returns event_trigger language plpgsql security definer as $$ begin
      insert into public.dropped select pg_current_xact_id() from pg_event_trigger_dropped_objects() where object_type = 'table';
    end $$;
    create event trigger note_drop on sql_drop when tag in ('DROP TABLE', 'DROP SCHEMA') execute function public.note_drop()`);
});
afterAll(() => database[Symbol.asyncDispose]());

test('a home is dropped ten tables a transaction, so that no other tenant waits for all of its locks', async () => {
  const { superuser, placement } = database.postgres;
  const schema = tenantHomeName('large');
  const home = { tenantId: 'large', placement: { ...placement, model: 'bridge', schema } } as const;
  await tenantHomes.make(home);
  const tables = Array.from({ length: 30 }, (_, index) => `create table ${schema}.more_${index} (n int)`);
  await superuser.query(tables.join(';'));
  const { rows } = await superuser.query(
    `select count(*)::int as made from pg_class where relkind = 'r' and relnamespace = $1::regnamespace`,
    [schema],
  );

  await tenantHomes.drop(home);

  const { rows: batches } = await superuser.query<{ tables: number }>(
    'select count(*)::int as tables from public.dropped group by transaction',
  );
  expect(rows).toEqual([{ made: batches.reduce((sum, batch) => sum + batch.tables, 0) }]);
  expect(Math.max(...batches.map(({ tables }) => tables))).toBeLessThanOrEqual(10);
});

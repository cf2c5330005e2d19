import { expect } from 'vitest';
import type { TestDatabase } from '../../helpers/database.ts';

/** Every row that a test tenant writes carries the tenant's name. */
export function expectOwnRowsOnly(body: string, tenantId: string, context: string): void {
  const named = new Set(body.match(/tenant-\d+/g));
  named.delete(tenantId);
  expect([...named], context).toEqual([]);
}

const held = `
  select 'transaction of ' || application_name || ': ' || state || ' ' || left(query, 80) as what from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null
  union all
  select locktype || ' lock of ' || pid from pg_locks l
  where database = (select oid from pg_database where datname = current_database()) and pid <> pg_backend_pid()
  union all
  select 'session state: ' || application_name from pg_stat_activity
  where datname = current_database() and application_name like 'tenant-%'`;

/** Once abandoned transactions have expired, the database has no open transaction, no lock, and no session of a tenant. */
export async function expectNothingHeld({ superuser }: TestDatabase, timeout = 10_000): Promise<void> {
  const what = async () => (await superuser.query<{ what: string }>(held)).rows.map((row) => row.what);
  await expect.poll(what, { timeout, interval: 100 }).toEqual([]);
}

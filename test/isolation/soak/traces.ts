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

/** Open transactions, locks, and sessions that still bear a tenant's name. */
export async function whatIsHeld({ superuser }: TestDatabase): Promise<readonly string[]> {
  return (await superuser.query<{ what: string }>(held)).rows.map(({ what }) => what);
}

/** Once abandoned transactions have expired, nothing is held. */
export async function expectNothingHeld(postgres: TestDatabase): Promise<void> {
  await expect.poll(() => whatIsHeld(postgres), { timeout: 10_000, interval: 100 }).toEqual([]);
}

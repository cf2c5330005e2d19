import { expect } from 'vitest';
import { currentTenant } from '../../../shared/tenancy/index.ts';
import type { TestDatabase } from '../../helpers/database.ts';
import { type Program, programOf } from './program.ts';
import type { World } from './world.ts';

/** Every row that a test tenant writes carries the tenant's name. */
export function expectOwnRowsOnly(body: string, tenantId: string, context: string): void {
  const named = new Set(body.match(/tenant-\d+/g));
  named.delete(tenantId);
  expect([...named], context).toEqual([]);
}

/** How many rows a program has written. */
export async function rowsOf({ tenants }: World, { operation }: Program): Promise<number> {
  const query = 'select from pool.projects where description = $1';
  return (await tenants.postgres.superuser.query(query, [operation])).rowCount ?? 0;
}

/** What tenant-2 finds that comes next: its own rows of the program `theirs`, each twice, and no trace of the one before. */
export async function expectUntouched(call: World['callThere']): Promise<void> {
  const answer = await call('tenant-2', programOf('next', { kind: 'read' }));
  expect(answer).toMatchObject({ status: 200 });
  const { tenant, seen } = JSON.parse(answer?.body ?? '') as { tenant: string; seen: string[] };
  const own = [0, 1, 2].map((index) => `tenant-2 theirs/${index}`);
  expect(tenant).toBe('tenant-2');
  expect(seen.toSorted()).toEqual([...own, ...own].toSorted());
  expect(() => currentTenant()).toThrow('No tenant context set');
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

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTenantCache, openCacheConnection } from '../../shared/cache/index.ts';
import { applyMigrations, readAllMigrations } from '../../shared/database/migrator.ts';
import { openTenantDatabase, type TenantDatabase } from '../../shared/database/tenant-database.ts';
import { placementsIn } from '../../shared/middleware/shared-placements.ts';
import { startTestCache, type TestCache } from '../helpers/cache.ts';
import { executeWith } from '../helpers/database-template.ts';
import { tellOfChange } from '../helpers/tenant-change.ts';
import { startTenantDatabase, type TestTenantDatabase } from '../helpers/tenant-database.ts';

let api: TestTenantDatabase;
let cache: TestCache;
/** As in two functions that have served nobody yet. */
let functions: readonly TenantDatabase[];
beforeAll(async () => {
  [api, cache] = await Promise.all([
    startTenantDatabase(['acme']),
    startTestCache({ kind: 'embedded', cluster: false, name: 'embedded' }),
  ]);
  const { tenant } = await readAllMigrations('migrations');
  for (const schema of ['first_home', 'second_home'])
    await applyMigrations(executeWith(api.postgres.owner), schema, tenant);
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await cache[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await moveTo('pool');
  await cache.connection.run((client) => client.call('FLUSHALL'));
  functions = [0, 1].map(() => openTenantDatabase(api.config, placementsIn(cache.another())));
  api.calls.length = 0;
});

const moveTo = async (home: string) => {
  const place = (schema: string, state: string) =>
    api.postgres.owner.query('select tenancy.set_placement($1, $2, $3)', ['acme', schema, state]);
  for (const schema of ['pool', 'first_home', 'second_home'].filter((each) => each !== home))
    await place(schema, 'moved');
  await place(home, 'active');
  await api.postgres.superuser.query('update registry.tenants set schema = $1 where tenant_id = $2', [home, 'acme']);
};
const read = (db: TenantDatabase | undefined) =>
  api.as('acme', async () => db?.selectFrom('projects').select('name').execute());
const lookUps = () => api.calls.filter(({ request }) => JSON.stringify(request).includes('current_placement')).length;

describe('what the registry says of a tenant that has moved', () => {
  it('is asked by one function, for all of them', async () => {
    await moveTo('first_home');
    await Promise.all(functions.map(read));
    expect(lookUps()).toBe(1);
    const late = openTenantDatabase(api.config, placementsIn(cache.another()));
    expect(await read(late)).toEqual([]);
    expect(lookUps()).toBe(1);
  });

  it('is asked anew when the tenant is not there either', async () => {
    await moveTo('first_home');
    await read(functions[0]);
    await moveTo('second_home');
    // What the cache says is out of date, and is put right.
    api.calls.length = 0;
    expect(await read(functions[1])).toEqual([]);
    expect([api.calls.length, lookUps()]).toEqual([4, 1]);
    api.calls.length = 0;
    expect(await read(functions[0])).toEqual([]);
    expect([api.calls.length, lookUps()]).toEqual([2, 0]);
  });

  it('is asked anew after an event that the tenant is another now', async () => {
    const late = () => openTenantDatabase(api.config, placementsIn(cache.another()));
    await moveTo('first_home');
    await read(functions[0]);
    await read(late());
    expect(lookUps()).toBe(1);
    await tellOfChange(cache.connection, 'acme');
    expect(await read(late())).toEqual([]);
    expect(lookUps()).toBe(2);
  });

  it('is asked by each function when the cache is away', async () => {
    const connection = openCacheConnection('redis://127.0.0.1:1', { warn: () => undefined });
    const away = [0, 1].map(() => openTenantDatabase(api.config, placementsIn(createTenantCache(connection))));
    await moveTo('first_home');
    for (const db of away) expect(await read(db)).toEqual([]);
    expect(lookUps()).toBe(2);
  });
});

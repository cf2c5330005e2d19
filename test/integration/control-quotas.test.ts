import { afterAll, beforeAll, expect, it } from 'vitest';
import { quotaLimits } from '../../shared/contract/index.ts';
import { readQuotas } from '../../shared/control/index.ts';
import { startControlRegistry } from '../helpers/control-registry.ts';
import type { TestTenantDatabase } from '../helpers/tenant-database.ts';

let database: TestTenantDatabase;
beforeAll(async () => {
  database = await startControlRegistry();
});
afterAll(() => database[Symbol.asyncDispose]());

const clusters = { names: ['main', 'silos'], registry: 'main' };
const named = async () =>
  new Map((await readQuotas(quotaLimits, clusters)).map((quota) => [quota.name, quota] as const));

it('nothing is used of what no tenant needs, and nothing is projected', async () => {
  const quotas = await named();
  expect(quotas.get('api-keys')).toMatchObject({ used: 0, limit: 10_000, percent: 0, exhaustedOn: null });
  expect(quotas.get('tenants')).toMatchObject({ used: 0, growthPerDay: null });
  for (const name of ['schemas:main', 'databases:main', 'schemas:silos', 'databases:silos'])
    expect(quotas.get(name), name).toMatchObject({ used: 0, percent: 0 });
});

it('head-room is counted in the registry in one call, and the connections are those of the cluster', async () => {
  await database.postgres.superuser.query(
    `insert into registry.tenants (tenant_id, name, plan, state, model, cluster, database, schema, api_key, created_at)
     select 't-' || n, 'T', (array['free', 'pro', 'enterprise'])[1 + n % 3], 'active',
       (array['pool', 'bridge', 'silo'])[1 + n % 3], 'main',
       case n % 3 when 2 then 'silo-' || n else 'tenantry' end, case n % 3 when 1 then 'bridge-' || n else 'pool' end,
       case when n > 3 then 'key-' || n end,
       now() - (60 - n) * interval '1 day' + interval '1 hour'
     from generate_series(0, 59) n`,
  );
  const before = database.calls.length;
  const quotas = await named();
  expect(database.calls.length - before).toBe(1);
  expect(quotas.get('tenants')).toMatchObject({ used: 60, growthPerDay: 1 });
  expect(quotas.get('api-keys')).toMatchObject({ used: 56, growthPerDay: 1, warning: false });
  expect(quotas.get('databases:main')).toMatchObject({ used: 21, limit: 200, percent: 10.5 });
  expect(quotas.get('schemas:main')).toMatchObject({ used: 41 });
  expect(quotas.get('tenants:pool')).toMatchObject({ used: 20 });
  const { rows } = await database.postgres.superuser.query(
    `select current_setting('max_connections')::integer as most`,
  );
  const connections = quotas.get('connections:main');
  expect(connections?.limit).toBe(rows[0]?.most);
  expect(connections?.used).toBeGreaterThan(0);
});

it('a key that tenants share is counted once, wherever they live, and came with the first of them', async () => {
  await database.postgres.superuser.query(
    `insert into registry.tenants (tenant_id, name, plan, model, cluster, database, schema, api_key, created_at)
     select 'sharing-' || n, 'T', 'free', (array['pool', 'bridge'])[1 + n % 2], (array['main', 'silos'])[1 + n % 2], 'tenantry', 'pool',
       'shared', now() - (45 - n) * interval '1 day'
     from generate_series(1, 40) n`,
  );
  expect((await named()).get('api-keys')).toMatchObject({ used: 57, growthPerDay: 1 });
});

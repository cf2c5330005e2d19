import { afterAll, beforeAll, expect, it } from 'vitest';
import { environmentKeys, quotaLimits } from '../../shared/contract/index.ts';
import { readQuotas } from '../../shared/control/index.ts';
import { startControlRegistry } from '../helpers/control-registry.ts';
import type { TestTenantDatabase } from '../helpers/tenant-database.ts';

let database: TestTenantDatabase;
/** What the function is told of the clusters: one is there, one is paused, and of one it was not told. */
const told = { main: 'main', paused: 'gone' };
beforeAll(async () => {
  database = await startControlRegistry();
  const clusters = JSON.parse(process.env[environmentKeys.clusters] ?? '{}') as Record<string, { resourceArn: string }>;
  const { main } = clusters;
  const arnOf = (name: string) => main?.resourceArn.replace(/main$/, name);
  const entries = Object.entries(told).map(([name, arn]) => [name, { ...main, resourceArn: arnOf(arn) }]);
  process.env[environmentKeys.clusters] = JSON.stringify(Object.fromEntries(entries));
});
afterAll(() => database[Symbol.asyncDispose]());

const clusters = ['main', 'silos', 'paused'];
const named = async (asked = clusters) =>
  new Map((await readQuotas(quotaLimits, asked)).map((quota) => [quota.name, quota] as const));

it('nothing is used of what no tenant needs, and nothing is projected', async () => {
  const quotas = await named();
  expect(quotas.get('api-keys')).toMatchObject({ used: 0, limit: 10_000, percent: 0, exhaustedOn: null });
  expect(quotas.get('tenants')).toMatchObject({ used: 0, growthPerDay: null });
  for (const name of ['schemas:main', 'databases:main', 'schemas:silos', 'databases:silos'])
    expect(quotas.get(name), name).toMatchObject({ used: 0, percent: 0 });
});

it('head-room is counted in the registry in one call, and a cluster is asked for its connections in another', async () => {
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
  const quotas = await named(['main']);
  expect(database.calls.length - before).toBe(2);
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

it('a cluster that cannot be asked is a gap that is named, and hides nothing of the others', async () => {
  const quotas = await named();
  for (const name of ['silos', 'paused'])
    expect(quotas.get(`connections:${name}`), name).toMatchObject({
      used: null,
      limit: null,
      warning: false,
      source: expect.stringMatching(/^Not known, as the cluster did not answer: /),
    });
  expect(quotas.get('connections:silos')?.source).toContain('The function knows no cluster "silos"');
  expect(quotas.get('connections:main')?.used).toBeGreaterThan(0);
});

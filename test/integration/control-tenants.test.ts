import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { environmentKeys } from '../../shared/contract/index.ts';
import {
  createOperation,
  listTenants,
  markStep,
  type ManagedTenant,
  readTenant,
  setTenantLimits,
  startOperation,
  type TenantFilter,
  type Turn,
} from '../../shared/control/index.ts';
import { pageQueryBy, toPageBy } from '../../shared/http/index.ts';
import { tenantIdSchema } from '../../shared/tenancy/index.ts';
import { planOfLastCall } from '../helpers/plan-of-call.ts';
import { configFor, startTenantDatabase, type TestTenantDatabase } from '../helpers/tenant-database.ts';

let database: TestTenantDatabase;

beforeAll(async () => {
  database = await startTenantDatabase([]);
  const config = configFor('control', database.postgres.name);
  Object.assign(process.env, {
    [environmentKeys.clusters]: JSON.stringify(config.clusters),
    [environmentKeys.registry]: JSON.stringify(config.registry),
  });
});
afterAll(() => database[Symbol.asyncDispose]());

const addTenants = (count: number) =>
  // Ten at a time are of the same microsecond, and ids are in another order than times.
  database.postgres.superuser.query(
    `insert into registry.tenants (tenant_id, name, plan, state, model, cluster, database, schema, api_key, created_at)
     select 't-' || md5(n::text), 'Tenant ' || n, (array['free', 'pro', 'enterprise'])[1 + n % 3],
       (array['active', 'suspended'])[1 + n % 2], (array['pool', 'bridge', 'silo'])[1 + n % 3],
       (array['main', 'silos'])[1 + n % 2], current_database(), 'pool', 'key-of-' || n,
       timestamptz '2026-01-01 00:00:00.000001+00' + n / 10 * interval '1 second'
     from generate_series(0, $1::integer - 1) n`,
    [count],
  );

/** That of an operation under way. */
async function turnOf(tenantId: string): Promise<Turn> {
  const { id } = await createOperation({ kind: 'change-limits', tenantId, input: {}, actor: 'olga' });
  await startOperation(id, ['set-limits']);
  const mark = await markStep(id, 'set-limits', 'running');
  return { operationId: id, tenantId, turn: mark.outcome === 'marked' ? mark.turn : 0 };
}

beforeEach(async () => {
  await database.postgres.superuser.query('truncate registry.tenants, registry.operations');
  database.calls.length = 0;
});

/** Every tenant that the filter lets through, by following the pages as a client does. */
async function walk(filter: TenantFilter, limit: number): Promise<ManagedTenant[]> {
  const { cursor: cursorSchema } = pageQueryBy(tenantIdSchema);
  const visited: ManagedTenant[] = [];
  for (let text: string | undefined; ;) {
    const request = { limit, cursor: cursorSchema.parse(text) };
    const { items, nextCursor } = toPageBy(await listTenants(filter, request), request, ({ tenantId }) => tenantId);
    visited.push(...items);
    if (nextCursor === null) return visited;
    text = nextCursor;
  }
}

async function expectedIds(where = 'true'): Promise<string[]> {
  const { rows } = await database.postgres.superuser.query<{ tenant_id: string }>(
    `select tenant_id from registry.tenants where ${where} order by created_at, tenant_id`,
  );
  return rows.map(({ tenant_id }) => tenant_id);
}

describe('the list of tenants', () => {
  test.each([1, 7, 10, 100])(
    'visits each once, oldest first, in pages of %i, also among those of one moment',
    async (limit) => {
      await addTenants(45);
      const visited = await walk({}, limit);
      expect(visited.map(({ tenantId }) => tenantId)).toEqual(await expectedIds());
    },
  );

  test.each<[string, TenantFilter, string]>([
    ['plan', { plan: 'pro' }, `plan = 'pro'`],
    ['state', { state: 'suspended' }, `state = 'suspended'`],
    ['model', { model: 'silo' }, `model = 'silo'`],
    ['cluster', { cluster: 'silos' }, `cluster = 'silos'`],
    [
      'all of them',
      { plan: 'free', state: 'active', model: 'pool' },
      `plan = 'free' and state = 'active' and model = 'pool'`,
    ],
    ['nothing that there is', { plan: 'free', model: 'silo' }, `plan = 'free' and model = 'silo'`],
  ])('can be filtered by %s', async (_, filter, where) => {
    await addTenants(45);
    expect((await walk(filter, 4)).map(({ tenantId }) => tenantId)).toEqual(await expectedIds(where));
  });

  test('costs one call a page', async () => {
    await addTenants(45);
    await listTenants({ plan: 'pro' }, { limit: 5 });
    expect(database.calls.map(({ operation }) => operation)).toEqual(['ExecuteStatement']);
  });

  test('starts a page where the one before ended, without reading what lies before', async () => {
    await addTenants(20_000);
    await database.postgres.superuser.query('analyze registry.tenants');
    await listTenants({}, { limit: 100, cursor: ['2026-01-01T00:30:00.000001+00:00', 't-'] });
    const plan = await planOfLastCall(database);
    expect(plan).toMatch(/Index Scan using tenants_by_age/);
    expect(plan).not.toMatch(/Rows Removed by Filter|Sort/);
  });

  test.each<[string, TenantFilter]>([
    ['state', { state: 'offboarding' }],
    ['plan', { plan: 'enterprise' }],
    ['model', { model: 'silo' }],
    ['cluster', { cluster: 'silos' }],
  ])('of a rare %s is read without reading the others', async (name, filter) => {
    const { superuser } = database.postgres;
    await addTenants(20_000);
    const column = Object.keys(filter)[0] ?? '';
    await superuser.query(
      `update registry.tenants set state = 'active', plan = 'free', model = 'pool', cluster = 'main'`,
    );
    await superuser.query(
      `update registry.tenants set ${column} = $1 where tenant_id in (select tenant_id from registry.tenants order by created_at desc limit 300)`,
      [Object.values(filter)[0]],
    );
    await superuser.query('vacuum analyze registry.tenants');
    const [first] = await listTenants(filter, { limit: 1 });
    await listTenants(filter, { limit: 100, cursor: [first?.createdAt ?? '', first?.tenantId ?? ''] });
    const plan = await planOfLastCall(database);
    expect(plan).toMatch(new RegExp(`Index Scan using tenants_by_${name}`));
    expect(plan).not.toMatch(/Rows Removed by Filter|Sort/);
  });
});

describe('a tenant', () => {
  test('is shown with its placement, and without its API key', async () => {
    await addTenants(1);
    const [tenantId = ''] = await expectedIds();
    const tenant = await readTenant(tenantId);
    expect(tenant).toEqual({
      tenantId,
      name: 'Tenant 0',
      plan: 'free',
      limits: null,
      state: 'active',
      placement: { model: 'pool', cluster: 'main', database: database.postgres.name, schema: 'pool' },
      createdAt: '2026-01-01T00:00:00.000001+00:00',
      updatedAt: expect.stringMatching(/^20\d\d-.*\+00:00$/),
    });
    expect(JSON.stringify([tenant, await listTenants({}, { limit: 5 })])).not.toContain('key-of');
  });

  test('is shown with limits of its own', async () => {
    await addTenants(1);
    const [tenantId = ''] = await expectedIds();
    const turn = await turnOf(tenantId);
    for (const limits of [{ burst: 5, concurrentRequests: 2 }, { requestsPerMinute: 30 }, {}]) {
      await setTenantLimits(turn, limits);
      const shown = Object.keys(limits).length > 0 ? limits : null;
      expect((await readTenant(tenantId))?.limits).toEqual(shown);
      expect((await listTenants({}, { limit: 5 }))[0]?.limits).toEqual(shown);
    }
  });

  test('whose limits stay as they are is not updated', async () => {
    await addTenants(1);
    const [tenantId = ''] = await expectedIds();
    const turn = await turnOf(tenantId);
    await setTenantLimits(turn, { burst: 5, requestsPerMinute: 30 });
    const before = await readTenant(tenantId);
    await setTenantLimits(turn, { requestsPerMinute: 30, burst: 5 });
    expect(await readTenant(tenantId)).toEqual(before);
  });

  test('that there is not is not found', async () => {
    expect(await readTenant('nobody')).toBeUndefined();
    expect(await readTenant(`x' or 'a' = 'a`)).toBeUndefined();
  });
});

test('the login of the control plane cannot read tenants’ rows, nor what signs their capabilities', async () => {
  const control = await database.postgres.connectAs('control');
  await expect(control.query('select * from pool.projects')).rejects.toThrow(/permission denied/);
  await expect(control.query('select * from tenancy.signing_keys')).rejects.toThrow(/permission denied/);
});

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalRedis, startRedis } from '../../local/redis.ts';
import { cacheConnection } from '../../shared/cache/index.ts';
import type { ApiHandler } from '../../shared/middleware/index.ts';
import { currentTenant } from '../../shared/tenancy/index.ts';
import { apiEvent, authorizerContext, type EventOptions, lambdaContext } from '../helpers/api-gateway.ts';
import { capabilityFor } from '../helpers/capability.ts';
import { functionEnvironment } from '../helpers/function-environment.ts';
import { startTenantDatabase, type TestTenantDatabase } from '../helpers/tenant-database.ts';

/**
 * Requests of many tenants, interleaved in one warm function over one database. Lambda gives an environment one request at a time;
 * here many are under way at once, so that whatever could be carried from one to another has every chance to be.
 */
const tenantCount = 50;
const requestCount = 20_000;
const atOnce = 24;
const seed = 20_261_123;

const tenantIds = Array.from({ length: tenantCount }, (_, index) => `tenant-${index + 1}`);
let tenants: TestTenantDatabase;
let redis: LocalRedis;
let handler: ApiHandler;

beforeAll(async () => {
  [tenants, redis] = await Promise.all([startTenantDatabase(tenantIds), startRedis()]);
  Object.assign(process.env, {
    ...functionEnvironment(tenants, redis.url),
    POWERTOOLS_LOG_LEVEL: 'SILENT',
    POWERTOOLS_METRICS_DISABLED: 'true',
  });
  // Reads its configuration as it is loaded.
  ({ handler } = await import('../../functions/projects/handler.ts'));
});
afterAll(async () => {
  cacheConnection(redis.url).close();
  await redis.stop();
  await tenants[Symbol.asyncDispose]();
});

type Action =
  'create' | 'list' | 'get' | 'rename' | 'delete' | 'get foreign' | 'rename foreign' | 'delete foreign' | 'fail';

const request = fc.record({
  tenant: fc.integer({ min: 0, max: tenantCount - 1 }),
  action: fc.constantFrom<Action>(
    'create',
    'create',
    'list',
    'get',
    'rename',
    'delete',
    'get foreign',
    'rename foreign',
    'delete foreign',
    'fail',
  ),
  pick: fc.nat(),
});

describe(`${requestCount} interleaved requests of ${tenantCount} tenants through one function`, () => {
  it("show nobody another's row or context", { timeout: 600_000 }, async () => {
    const requests = fc.sample(request, { seed, numRuns: requestCount });
    const known = tenantIds.map((): string[] => []);
    const statuses = new Map<number, number>();
    let position = 0;
    const worker = async (): Promise<void> => {
      for (let next = requests[position++]; next !== undefined; next = requests[position++]) {
        const { tenant, action, pick } = next;
        const own = known[tenant] ?? [];
        const others = known[(tenant + 1 + (pick % (tenantCount - 1))) % tenantCount] ?? [];
        const id = pickFrom(action.endsWith('foreign') ? others : own, pick);
        const { status, body } = await call(tenant, eventFor(action, id, tenant, position));
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        const context = `${action} of ${String(tenantIds[tenant])} answered ${status} ${body}`;
        expectOwnRowsOnly(body, tenant, context);
        if (action.endsWith('foreign')) expect(status, context).toBe(404);
        else expect([200, 201, 204, 400, 404], context).toContain(status);
        if (action === 'create') own.push((JSON.parse(body) as { id: string }).id);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));

    expect([...statuses.values()].reduce((sum, count) => sum + count)).toBe(requestCount);
    for (const status of [200, 201, 204, 400, 404])
      expect(statuses.get(status), `answers ${status}`).toBeGreaterThan(500);
    await expectEveryRowAtHome();
    expect(() => currentTenant()).toThrow('No tenant context set');
  });
});

const missing = '00000000-0000-7000-8000-000000000000';
const pickFrom = (ids: readonly string[], pick: number): string => ids[pick % Math.max(1, ids.length)] ?? missing;

function eventFor(action: Action, id: string, tenant: number, position: number): EventOptions {
  const name = `${String(tenantIds[tenant])} #${position}`;
  const path = { projectId: id };
  switch (action) {
    case 'create':
      return { route: 'POST /projects', body: { name, description: String(tenantIds[tenant]) } };
    case 'list':
      return { route: 'GET /projects', query: { limit: '5' } };
    case 'get':
    case 'get foreign':
      return { route: 'GET /projects/{projectId}', path };
    case 'rename':
    case 'rename foreign':
      return { route: 'PATCH /projects/{projectId}', path, body: { name } };
    case 'delete':
    case 'delete foreign':
      return { route: 'DELETE /projects/{projectId}', path };
    case 'fail':
      return { route: 'POST /projects', body: { name: '' } };
  }
}

async function call(tenant: number, options: EventOptions): Promise<{ status: number; body: string }> {
  const tenantId = String(tenantIds[tenant]);
  const authorizer = authorizerContext(tenantId, {
    plan: 'enterprise',
    placement: JSON.stringify(tenants.postgres.placement),
    capability: capabilityFor(tenantId),
  });
  const { statusCode, body } = await handler(apiEvent({ ...options, authorizer }), lambdaContext());
  return { status: statusCode, body };
}

/** Every row that a test tenant writes carries the tenant's name. */
function expectOwnRowsOnly(body: string, tenant: number, context: string): void {
  const named = body.match(/tenant-\d+/g) ?? [];
  expect(new Set(named).size, context).toBeLessThanOrEqual(1);
  if (named[0] !== undefined) expect(named[0], context).toBe(tenantIds[tenant]);
}

async function expectEveryRowAtHome(): Promise<void> {
  const { rows } = await tenants.postgres.superuser.query(
    `select count(*)::int as total, count(*) filter (where description <> tenant_id or name not like tenant_id || ' #%')::int as strays
     from pool.projects`,
  );
  expect(rows[0].total).toBeGreaterThan(500);
  expect(rows[0].strays).toBe(0);
}

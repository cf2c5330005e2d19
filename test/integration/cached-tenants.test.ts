import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { projectsApi } from '../../functions/projects/schema.ts';
import {
  createProject,
  deleteProject,
  getProject,
  listProjects,
  updateProject,
} from '../../functions/projects/service.ts';
import { createTenantCache, openCacheConnection } from '../../shared/cache/index.ts';
import { registryFinders } from '../../shared/database/find-tenant.ts';
import { type ApiHandler, cachedTenants, tenantApi } from '../../shared/middleware/index.ts';
import { createRateLimiter } from '../../shared/rate-limit/index.ts';
import { type FindTenant, fromHeader } from '../../shared/tenancy/index.ts';
import { apiEvent, lambdaContext } from '../helpers/api-gateway.ts';
import { signingKey } from '../helpers/capability.ts';
import { startTestCache, type TestCache } from '../helpers/cache.ts';
import { functionEnvironment } from '../helpers/function-environment.ts';
import { captureJsonLines } from '../helpers/stdout.ts';
import { tellOfChange } from '../helpers/tenant-change.ts';
import { configFor, startTenantDatabase, type TestTenantDatabase } from '../helpers/tenant-database.ts';

let database: TestTenantDatabase;
let test: TestCache;
let api: ApiHandler;
let lookUps: string[];
let find: FindTenant;
beforeAll(async () => {
  [database, test] = await Promise.all([
    startTenantDatabase(['acme', 'globex']),
    startTestCache({ kind: 'embedded', cluster: false, name: 'embedded' }),
  ]);
  Object.assign(process.env, functionEnvironment(database, test.redis.url));
  const { findTenant } = registryFinders(configFor('authorizer', database.postgres.name));
  find = (tenantId) => {
    lookUps.push(tenantId);
    return findTenant(tenantId);
  };
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await test[Symbol.asyncDispose]();
});
beforeEach(async () => {
  captureJsonLines();
  lookUps = [];
  await test.connection.run((client) => client.call('FLUSHALL'));
  await put('acme', 'active');
  api = apiWith(cachedTenants(test.connection, find));
});

const put = async (tenantId: string, state: 'active' | 'suspended'): Promise<void> => {
  await database.postgres.superuser.query('update registry.tenants set state = $1 where tenant_id = $2', [
    state,
    tenantId,
  ]);
  await database.postgres.owner.query('select tenancy.set_placement($1, $2, $3)', [tenantId, 'pool', state]);
};
/** A function without the authorizer. */
const apiWith = (findTenant: FindTenant): ApiHandler =>
  tenantApi(
    projectsApi,
    {
      'GET /projects': ({ query }) => listProjects(query),
      'POST /projects': ({ body }) => createProject(body),
      'GET /projects/{projectId}': ({ path }) => getProject(path.projectId),
      'PATCH /projects/{projectId}': ({ path, body }) => updateProject(path.projectId, body),
      'DELETE /projects/{projectId}': ({ path }) => deleteProject(path.projectId),
    },
    {
      resolveTenant: fromHeader({ findTenant, signingKey: () => Promise.resolve(signingKey) }),
      limiter: createRateLimiter({ connection: test.connection }),
      cache: createTenantCache(test.connection),
    },
  );
const list = async (tenantId: string, limit = '10'): Promise<[number, unknown]> => {
  const event = apiEvent({ route: 'GET /projects', query: { limit }, headers: { 'X-Tenant-ID': tenantId } });
  const { statusCode, body } = await api(event, lambdaContext());
  return [statusCode, (JSON.parse(body) as { code?: string }).code];
};

describe('the registry’s look-up in a set-up without the authorizer', () => {
  it('is done once for all requests of a tenant, and for each tenant by itself', async () => {
    for (let request = 0; request < 3; request += 1) expect(await list('acme')).toEqual([200, undefined]);
    expect(await list('globex')).toEqual([200, undefined]);
    expect(lookUps).toEqual(['acme', 'globex']);
  });

  it('is done anew after an event that the tenant is another now', async () => {
    await list('acme');
    await tellOfChange(test.connection, 'globex');
    await list('acme');
    expect(lookUps).toEqual(['acme']);
    await tellOfChange(test.connection, 'acme');
    await list('acme');
    expect(lookUps).toEqual(['acme', 'acme']);
  });

  it('does not keep what an event has made void while it was under way', async () => {
    api = apiWith(
      cachedTenants(test.connection, async (tenantId) => {
        const found = await find(tenantId);
        await tellOfChange(test.connection, tenantId);
        return found;
      }),
    );
    await list('acme');
    await list('acme');
    expect(lookUps).toEqual(['acme', 'acme']);
  });

  it('lets no suspended tenant in: the database refuses it at once, and the event has it refused before', async () => {
    expect(await list('acme')).toEqual([200, undefined]);
    await put('acme', 'suspended');
    expect(await list('acme', '7')).toEqual([403, 'tenant-suspended']);
    expect(lookUps).toEqual(['acme']);
    await tellOfChange(test.connection, 'acme');
    const before = database.calls.length;
    for (let request = 0; request < 2; request += 1) expect(await list('acme')).toEqual([403, 'tenant-suspended']);
    expect(lookUps).toEqual(['acme', 'acme']);
    expect(database.calls.length - before).toBe(1);
    await put('acme', 'active');
    await tellOfChange(test.connection, 'acme');
    expect(await list('acme')).toEqual([200, undefined]);
  });

  it('leaves nothing behind of a tenant that there is not', async () => {
    for (let request = 0; request < 2; request += 1) expect(await list('nobody')).toEqual([404, 'tenant-not-found']);
    expect(lookUps).toEqual(['nobody', 'nobody']);
    expect(await test.connection.run((client) => client.keys('*'))).toEqual([]);
  });

  it('keeps no API key', async () => {
    const findWithKey: FindTenant = async (tenantId) => {
      const found = await find(tenantId);
      return found && { ...found, apiKey: 'secret' };
    };
    await cachedTenants(test.connection, findWithKey)('acme');
    const kept = await test.connection.run((client) => client.get('t:{acme}:cache:tenants:current'));
    expect(kept).toContain('"tenantId":"acme"');
    expect(kept).not.toContain('secret');
  });

  it('is done with every request while the cache is away', async () => {
    const away = openCacheConnection('redis://127.0.0.1:1', { warn: () => undefined });
    api = apiWith(cachedTenants(away, find));
    for (let request = 0; request < 2; request += 1) expect(await list('acme')).toEqual([200, undefined]);
    expect(lookUps).toEqual(['acme', 'acme']);
    away.close();
  });
});

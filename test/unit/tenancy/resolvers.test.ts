import { expect, test } from 'vitest';
import type { TenantLimits } from '../../../shared/contract/index.ts';
import { AppError } from '../../../shared/errors/index.ts';
import { fromAuthorizer, fromHeader, fromSubdomain, mintCapability } from '../../../shared/tenancy/index.ts';
import { apiEvent, authorizerContext } from '../../helpers/api-gateway.ts';

const route = 'GET /projects';
const placement = { model: 'pool', cluster: 'main', database: 'tenantry', schema: 'pool' } as const;
const registered = (tenantId: string, state: string, limits: TenantLimits | null = null) => ({
  tenantId,
  plan: 'pro' as const,
  limits,
  state,
  placement,
  apiKey: null,
});
const registry = new Map(
  [registered('acme', 'active'), registered('globex', 'active', { burst: 5 }), registered('umbrella', 'suspended')].map(
    (t) => [t.tenantId, t],
  ),
);
const key = { keyId: 'k1', secret: new TextEncoder().encode('x'.repeat(32)) };
const options = { findTenant: async (id: string) => registry.get(id), signingKey: async () => key };
const baseDomains = ['api.example.com'];
const impersonationId = '0199f0f0-0000-7000-8000-000000000000';

const failure = async (work: () => unknown): Promise<{ code: string; status: number } | undefined> => {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { code: error.code, status: error.status };
  }
};

test('The authorizer names tenant, plan, placement, user, roles and capability', async () => {
  const context = await fromAuthorizer()(apiEvent({ route }));
  expect(context).toEqual({
    tenantId: 'acme',
    plan: 'pro',
    placement,
    userId: 'user-of-acme',
    roles: ['admin', 'member'],
    capability: authorizerContext()['capability'],
  });
});

test('The authorizer names no empty role', async () => {
  const context = await fromAuthorizer()(apiEvent({ route, authorizer: authorizerContext('acme', { roles: '' }) }));
  expect(context.roles).toEqual([]);
});

test('The authorizer names the limits of a tenant that has some of its own', async () => {
  const authorizer = authorizerContext('acme', { limits: '{"burst":5,"concurrentRequests":2}' });
  const context = await fromAuthorizer()(apiEvent({ route, authorizer }));
  expect(context.limits).toEqual({ burst: 5, concurrentRequests: 2 });
});

test.each<[string, Record<string, string>]>([
  ['no context', {}],
  ['no capability', { ...authorizerContext(), capability: '' }],
  ['a tenant that is no slug', authorizerContext('ACME')],
  ['an unknown plan', authorizerContext('acme', { plan: 'platinum' })],
  ['a placement that is no JSON', authorizerContext('acme', { placement: 'pool' })],
  ...['', 'null', '5', '[]', '{', '{"burst":0}', '{"burst":1.5}', '{"burst":"5"}', '{"burst":null}', '{"rate":5}'].map(
    (limits): [string, Record<string, string>] => [`the limits '${limits}'`, authorizerContext('acme', { limits })],
  ),
  ['an actor without an impersonation', authorizerContext('acme', { actor: 'olga' })],
  ['an impersonation without an actor', authorizerContext('acme', { impersonationId })],
  ['an actor that is empty', authorizerContext('acme', { actor: '', impersonationId })],
  ['an actor whose name ends the quotes', authorizerContext('acme', { actor: 'o"l', impersonationId })],
  ['an impersonation that is no id', authorizerContext('acme', { actor: 'olga', impersonationId: 'x' })],
])('With %s from the authorizer nothing is served', async (_, authorizer) => {
  expect(await failure(() => fromAuthorizer()(apiEvent({ route, authorizer })))).toMatchObject({ code: 'internal' });
});

test('What is wrong with the context of the authorizer is said by the names of fields, without their values', () => {
  const authorizer = authorizerContext('acme', { plan: 'platinum', placement: 'pool' });
  expect(() => fromAuthorizer()(apiEvent({ route, authorizer }))).toThrow(/malformed: plan, placement\.$/);
});

test.each([
  ['the header', { headers: { 'x-TENANT-id': 'globex' } }],
  ['the header in capitals', { headers: { 'X-Tenant-ID': 'ACME' } }],
  ['a list in the header', { headers: { 'X-Tenant-ID': 'acme, globex' } }],
  ['the subdomain', { headers: { Host: 'globex.api.example.com' } }],
  ['the subdomain with a port', { headers: { Host: 'Globex.API.example.com:443' } }],
  ['a deeper subdomain', { headers: { Host: 'acme.globex.api.example.com' } }],
  ['the domain of the gateway', { domainName: 'globex.api.example.com' }],
])('Behind the authorizer, %s that names another tenant is refused', async (_, request) => {
  const resolve = fromAuthorizer({ baseDomains });
  expect(await failure(() => resolve(apiEvent({ route, ...request })))).toEqual({
    code: 'tenant-mismatch',
    status: 403,
  });
});

test.each([
  ['the same header', { headers: { 'X-Tenant-ID': 'acme' } }],
  ['an empty header', { headers: { 'X-Tenant-ID': ' ' } }],
  ['the same subdomain', { headers: { Host: 'acme.api.example.com' } }],
  ['the base domain', { headers: { Host: 'api.example.com' } }],
  ['a foreign domain', { headers: { Host: 'globex.example.org' } }],
  ['a domain that only ends alike', { headers: { Host: 'globex-api.example.com' } }],
  ['a forwarded host', { headers: { 'X-Forwarded-Host': 'globex.api.example.com' } }],
])('Behind the authorizer, %s contradicts nothing', async (_, request) => {
  const context = await fromAuthorizer({ baseDomains })(apiEvent({ route, ...request }));
  expect(context.tenantId).toBe('acme');
});

test('A header that is sent twice contradicts when either does', async () => {
  const event = apiEvent({ route, headers: { 'X-Tenant-ID': 'acme' } });
  event.multiValueHeaders = { 'X-Tenant-ID': ['globex', 'acme'] };
  expect(await failure(() => fromAuthorizer()(event))).toMatchObject({ code: 'tenant-mismatch' });
});

test('Without an authorizer the header or the subdomain names the tenant, and the function mints its capability', async () => {
  const byHeader = await fromHeader(options)(apiEvent({ route, headers: { 'X-Tenant-ID': 'acme' } }));
  const bySubdomain = await fromSubdomain({ ...options, baseDomains })(
    apiEvent({ route, domainName: 'acme.api.example.com' }),
  );
  for (const context of [byHeader, bySubdomain]) {
    expect(context).toMatchObject({ tenantId: 'acme', plan: 'pro', userId: 'anonymous', roles: [] });
    const expiresAt = Number(context.capability.split('.')[3]);
    expect(context.capability).toBe(mintCapability(key, 'acme', expiresAt));
    expect(expiresAt).toBeGreaterThan(Date.now() / 1000 + 300);
    expect(expiresAt).toBeLessThanOrEqual(Date.now() / 1000 + 360);
  }
});

test('Without an authorizer a tenant has the limits that the registry says', async () => {
  const limitsOf = async (tenantId: string) =>
    (await fromHeader(options)(apiEvent({ route, headers: { 'X-Tenant-ID': tenantId } }))).limits;
  expect(await limitsOf('globex')).toEqual({ burst: 5 });
  expect(await limitsOf('acme')).toBeUndefined();
});

test.each([
  ['no tenant', {}, 'tenant-not-named', 400],
  ['an unknown tenant', { 'X-Tenant-ID': 'nobody' }, 'tenant-not-found', 404],
  ['no slug', { 'X-Tenant-ID': "x' or 1=1" }, 'tenant-not-found', 404],
  ['a suspended tenant', { 'X-Tenant-ID': 'umbrella' }, 'tenant-suspended', 403],
])('A header that names %s is refused', async (_, headers, code, status) => {
  expect(await failure(() => fromHeader(options)(apiEvent({ route, headers })))).toEqual({ code, status });
});

test('A request that names two tenants is of neither', async () => {
  const event = apiEvent({ route, headers: { 'X-Tenant-ID': ['globex', 'acme'] } });
  expect(await failure(() => fromHeader(options)(event))).toEqual({ code: 'tenant-not-named', status: 400 });
  const hosts = { domainName: 'acme.api.example.com', headers: { Host: 'globex.api.example.com' } };
  const resolve = fromSubdomain({ ...options, baseDomains });
  expect(await failure(() => resolve(apiEvent({ route, ...hosts })))).toEqual({
    code: 'tenant-not-named',
    status: 400,
  });
});

test('Without an authorizer the set-up may say who the user is', async () => {
  const resolve = fromHeader({ ...options, user: () => ({ userId: 'ann', roles: ['admin'] }) });
  const context = await resolve(apiEvent({ route, headers: { 'X-Tenant-ID': 'acme' } }));
  expect(context).toMatchObject({ tenantId: 'acme', userId: 'ann', roles: ['admin'] });
});

test('Without an authorizer the set-up says who the user is and nothing else, whatever it returns', async () => {
  const claims = {
    userId: 'ann',
    roles: ['admin'],
    tenantId: 'globex',
    plan: 'enterprise',
    limits: {},
    capability: 'x',
  };
  const event = apiEvent({ route, headers: { 'X-Tenant-ID': 'acme' } });
  const context = await fromHeader({ ...options, user: () => ({ ...claims, impersonation: { id: 'x', actor: 'y' } }) })(
    event,
  );
  const own = { tenantId: 'acme', plan: 'pro', placement, userId: 'ann', roles: ['admin'] };
  expect(context).toEqual({ ...own, capability: expect.stringMatching(/^v1\.k1\.acme\./) });
});

test.each([
  ['no tenant', 'api.example.com', 'tenant-not-named', 400],
  ['an unknown tenant', 'nobody.api.example.com', 'tenant-not-found', 404],
  ['a suspended tenant', 'umbrella.api.example.com', 'tenant-suspended', 403],
])('A host that names %s is refused', async (_, domainName, code, status) => {
  const resolve = fromSubdomain({ ...options, baseDomains });
  expect(await failure(() => resolve(apiEvent({ route, domainName })))).toEqual({ code, status });
});

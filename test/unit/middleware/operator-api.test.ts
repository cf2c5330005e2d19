import { expect, test } from 'vitest';
import { controlPlaneApi } from '../../../functions/control-plane/schema.ts';
import { metricNames } from '../../../shared/contract/index.ts';
import type { ManagedTenant } from '../../../shared/control/index.ts';
import { operatorApi } from '../../../shared/middleware/index.ts';
import { currentTenantIfAny } from '../../../shared/tenancy/index.ts';
import { apiEvent, type EventOptions, lambdaContext } from '../../helpers/api-gateway.ts';
import { captureJsonLines } from '../../helpers/stdout.ts';

const tenant: ManagedTenant = {
  tenantId: 'acme',
  name: 'Acme',
  plan: 'pro',
  state: 'active',
  placement: { model: 'pool', cluster: 'main', database: 'tenantry', schema: 'pool' },
  createdAt: '2026-01-01T00:00:00+00:00',
  updatedAt: '2026-01-01T00:00:00+00:00',
};
const handler = operatorApi(controlPlaneApi, {
  'GET /tenants': () => {
    expect(currentTenantIfAny()).toBeUndefined();
    return { items: [tenant], nextCursor: null };
  },
  'GET /tenants/{tenantId}': ({ path }) => ({ ...tenant, tenantId: path.tenantId }),
  'POST /tenants/{tenantId}/impersonate': () => ({ id: '', token: '', expiresAt: '' }),
  'DELETE /tenants/{tenantId}/impersonations/{impersonationId}': () => undefined,
  'GET /audit-log': () => ({ items: [], nextCursor: null }),
  'GET /openapi.json': () => ({ openapi: '3.1.0' }),
});
const operator = { operatorId: 'olga', roles: 'operator' };
const call = async (event: EventOptions) => {
  const { statusCode, body } = await handler(apiEvent({ authorizer: operator, ...event }), lambdaContext());
  return { status: statusCode, body: JSON.parse(body) as unknown };
};

test('An operator is answered without a tenant, and is named in the line of the request', async () => {
  const lines = captureJsonLines();
  expect(await call({ route: 'GET /tenants' })).toMatchObject({ status: 200, body: { items: [tenant] } });
  const counted = lines.filter((line) => line[metricNames.requests] === 1);
  expect(counted).toMatchObject([{ operatorId: 'olga', route: 'GET /tenants', status: '200', plan: 'none' }]);
  expect(counted[0]).not.toHaveProperty('tenantId');
});

test.each([{}, { operatorId: '' }, { tenantId: 'acme', userId: 'ann', roles: 'operator' }])(
  'What an authorizer says without naming an operator (%j) lets nobody in',
  async (authorizer) => {
    const lines = captureJsonLines();
    expect(await call({ route: 'GET /tenants', authorizer: authorizer as Record<string, string> })).toMatchObject({
      status: 500,
      body: { code: 'internal' },
    });
    expect(lines.filter(({ level }) => level === 'ERROR')).toHaveLength(1);
  },
);

test.each<[string, EventOptions]>([
  ['an unknown plan', { route: 'GET /tenants', query: { plan: 'gold' } }],
  ['an unknown state', { route: 'GET /tenants', query: { state: 'gone' } }],
  ['an unknown model', { route: 'GET /tenants', query: { model: 'cell' } }],
  ['an unknown filter', { route: 'GET /tenants', query: { name: 'Acme' } }],
  ['a page of nothing', { route: 'GET /tenants', query: { limit: '0' } }],
  ['a cursor of its own making', { route: 'GET /tenants', query: { cursor: 'abc' } }],
  ['an id that no tenant has', { route: 'GET /tenants/{tenantId}', path: { tenantId: 'A' } }],
])('%s is refused', async (_, event) => {
  captureJsonLines();
  expect(await call(event)).toMatchObject({ status: 400, body: { code: 'validation-failed' } });
});

import { expect, test } from 'vitest';
import { controlPlaneApi } from '../../../functions/control-plane/schema.ts';
import { metricNames } from '../../../shared/contract/index.ts';
import type { ManagedTenant, Operation } from '../../../shared/control/index.ts';
import { operatorApi } from '../../../shared/middleware/index.ts';
import { currentOperator, currentTenantIfAny } from '../../../shared/tenancy/index.ts';
import { apiEvent, type EventOptions, lambdaContext } from '../../helpers/api-gateway.ts';
import { captureJsonLines } from '../../helpers/stdout.ts';

const tenant: ManagedTenant = {
  tenantId: 'acme',
  name: 'Acme',
  plan: 'pro',
  limits: null,
  state: 'active',
  placement: { model: 'pool', cluster: 'main', database: 'tenantry', schema: 'pool' },
  createdAt: '2026-01-01T00:00:00+00:00',
  updatedAt: '2026-01-01T00:00:00+00:00',
};
const {
  'GET /tenants': list,
  'GET /tenants/{tenantId}': get,
  'POST /tenants/{tenantId}/suspend': suspend,
} = controlPlaneApi.routes;
const routes = { 'GET /tenants': list, 'GET /tenants/{tenantId}': get, 'POST /tenants/{tenantId}/suspend': suspend };
const operation: Operation = {
  id: '0190a0a0-0000-7000-8000-000000000000',
  tenantId: 'acme',
  kind: 'suspend',
  state: 'pending',
  input: {},
  before: null,
  steps: [],
  counts: {},
  percent: 0,
  result: null,
  error: null,
  actor: 'olga',
  createdAt: '2026-01-01T00:00:00+00:00',
  updatedAt: '2026-01-01T00:00:00+00:00',
  endedAt: null,
};
const handler = operatorApi(
  { ...controlPlaneApi, routes },
  {
    'POST /tenants/{tenantId}/suspend': ({ idempotencyKey = 'none' }) => ({
      ...operation,
      actor: currentOperator().operatorId,
      input: { idempotencyKey },
    }),
    'GET /tenants': () => {
      expect(currentTenantIfAny()).toBeUndefined();
      return { items: [tenant], nextCursor: null };
    },
    'GET /tenants/{tenantId}': ({ path }) => ({ ...tenant, tenantId: path.tenantId }),
  },
);
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

test('Work that takes long is answered with where to ask for it, with the stage where API Gateway has it in its paths', async () => {
  captureJsonLines();
  const route = 'POST /tenants/{tenantId}/suspend';
  const event = apiEvent({
    authorizer: operator,
    route,
    path: { tenantId: 'acme' },
    headers: { 'idempotency-key': 'k' },
  });
  const answer = await handler(event, lambdaContext());
  expect(answer).toMatchObject({ statusCode: 202, headers: { Location: `/operations/${operation.id}` } });
  expect(JSON.parse(answer.body)).toMatchObject({ actor: 'olga', input: { idempotencyKey: 'k' } });
  const onStage = { ...event, requestContext: { ...event.requestContext, path: `/dev${event.path}` } };
  expect((await handler(onStage, lambdaContext())).headers).toMatchObject({
    Location: `/dev/operations/${operation.id}`,
  });
});

test('An idempotency key that is none is refused', async () => {
  captureJsonLines();
  const event = {
    route: 'POST /tenants/{tenantId}/suspend',
    path: { tenantId: 'acme' },
    headers: { 'Idempotency-Key': 'a b' },
  };
  expect(await call(event)).toMatchObject({ status: 400, body: { code: 'validation-failed' } });
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

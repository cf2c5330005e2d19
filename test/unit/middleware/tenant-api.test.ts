import { setImmediate, setTimeout } from 'node:timers/promises';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { expect, test } from 'vitest';
import { projectsApi } from '../../../functions/projects/schema.ts';
import { createTenantCache, openCacheConnection } from '../../../shared/cache/index.ts';
import { metricNames } from '../../../shared/contract/index.ts';
import { AppError } from '../../../shared/errors/index.ts';
import { type ApiHandler, tenantApi, type TenantApiOptions } from '../../../shared/middleware/index.ts';
import type { RateLimitDecision, RateLimiter } from '../../../shared/rate-limit/index.ts';
import { currentTenant, currentTenantIfAny, fromHeader } from '../../../shared/tenancy/index.ts';
import { apiEvent, authorizerContext, type EventOptions, lambdaContext } from '../../helpers/api-gateway.ts';
import { project, projectsHandlers } from '../../helpers/projects-handlers.ts';
import { captureJsonLines } from '../../helpers/stdout.ts';

const status = {
  scope: 'all',
  limit: 50,
  remaining: 49,
  resetSeconds: 1,
  nextSeconds: 1,
  windowSeconds: 5,
  retryAfterSeconds: 0,
};
const decision: RateLimitDecision = {
  ...status,
  allowed: true,
  limits: [status],
  source: 'redis',
  release: () => Promise.resolve(),
};
const limiterThat = (changes: Partial<RateLimitDecision> = {}): RateLimiter => ({
  consume: async () => ({ ...decision, ...changes }),
});
/** On a port where nobody listens: without a cache every answer is loaded. */
const cache = createTenantCache(openCacheConnection('redis://127.0.0.1:1', { warn: () => undefined }));
const make = (overrides: Partial<typeof projectsHandlers> = {}, options: TenantApiOptions = {}): ApiHandler =>
  tenantApi(projectsApi, { ...projectsHandlers, ...overrides }, { limiter: limiterThat(), cache, ...options });
const failing = (error: unknown) =>
  make({
    'GET /projects': () => {
      throw error;
    },
  });
const list = { route: 'GET /projects' };
const call = async (
  handler: ApiHandler,
  event: EventOptions,
  remainingMs?: number,
): Promise<APIGatewayProxyResult & { json: unknown }> => {
  const answer = await handler(apiEvent(event), lambdaContext(remainingMs));
  return { ...answer, json: answer.body === '' ? undefined : JSON.parse(answer.body) };
};

test('A route answers with its status, JSON, the request id, and is not to be cached', async () => {
  captureJsonLines();
  const answer = await call(make(), { route: 'POST /projects', body: { name: ' b ' } });
  expect(answer).toMatchObject({
    statusCode: 201,
    headers: {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-store',
      'X-Request-Id': 'request-1',
      'X-RateLimit-Remaining': '49',
    },
    json: { name: 'b' },
  });
});

test('204 has no body', async () => {
  captureJsonLines();
  const answer = await call(make(), { route: 'DELETE /projects/{projectId}', path: { projectId: project.id } });
  expect(answer).toMatchObject({ statusCode: 204, body: '' });
  expect(answer.headers).not.toHaveProperty('Content-Type');
});

test.each(['HEAD /projects', 'PUT /projects', 'GET /elsewhere', 'GET /constructor'])(
  '%s is no route',
  async (route) => {
    captureJsonLines();
    expect(await call(make(), { route })).toMatchObject({ statusCode: 404, json: { code: 'route-not-found' } });
  },
);

test('An error of the catalogue becomes problem details, and is not logged as a failure', async () => {
  const lines = captureJsonLines();
  const answer = await call(failing(new AppError('not-found', 'There is no project.')), list);
  expect(answer).toMatchObject({
    statusCode: 404,
    headers: { 'Content-Type': 'application/problem+json', 'X-RateLimit-Remaining': '49' },
    json: { code: 'not-found', detail: 'There is no project.', instance: 'request-1' },
  });
  expect(lines.filter(({ level }) => level === 'ERROR')).toEqual([]);
});

test.each([new Error('the password is hunter2', { cause: new Error('deep') }), 'a thrown string', undefined, null])(
  'Anything else that is thrown (%s) becomes an internal error that tells nothing, and is logged once',
  async (thrown) => {
    const lines = captureJsonLines();
    const answer = await call(failing(thrown), list);
    expect(answer).toMatchObject({ statusCode: 500, json: { code: 'internal' } });
    expect(answer.body).not.toContain('hunter2');
    const errors = lines.filter(({ level }) => level === 'ERROR');
    expect(errors).toHaveLength(1);
    if (thrown instanceof Error) expect(JSON.stringify(errors)).toMatch(/hunter2.*deep/);
  },
);

test('Requests are counted, with who made them, whether they succeed or fail, without capability or token', async () => {
  const lines = captureJsonLines();
  const headers = { Authorization: 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ.c2ln' };
  await call(make(), { ...list, headers });
  await call(failing(new Error('failed')), { ...list, headers });
  await call(make(), { ...list, headers, authorizer: {} });
  const counted = lines.filter((line) => line[metricNames.requests] === 1);
  expect(counted).toMatchObject([
    { status: '200', route: 'GET /projects', tenantId: 'acme', userId: 'user-of-acme', requestId: 'request-1' },
    { status: '500', route: 'GET /projects', tenantId: 'acme' },
    { status: '500', route: 'GET /projects' },
  ]);
  expect(counted[2]).not.toHaveProperty('tenantId');
  expect(JSON.stringify(lines)).not.toMatch(/4102444800|eyJ/);
});

test('A handler that does not end is answered with 504, and metrics are written, before the function times out', async () => {
  const lines = captureJsonLines();
  const hanging = make({ 'GET /projects': () => setTimeout(60_000, { items: [], nextCursor: null }, { ref: false }) });
  expect(await call(hanging, list, 600)).toMatchObject({ statusCode: 504, json: { code: 'gateway-timeout' } });
  expect(lines.filter((line) => line[metricNames.requests] === 1)).toHaveLength(1);
});

test('A tenant beyond its rate is refused before its request is looked at, and counted', async () => {
  const lines = captureJsonLines();
  const limiter = limiterThat({ allowed: false, remaining: 0, retryAfterSeconds: 3 });
  const answer = await call(make({}, { limiter }), { route: 'POST /projects', body: 'not json' });
  expect(answer).toMatchObject({
    statusCode: 429,
    headers: { 'Retry-After': '3', 'X-RateLimit-Remaining': '0' },
    json: { code: 'rate-limited' },
  });
  expect(lines.filter((line) => line[metricNames.throttles] === 1)).toHaveLength(1);
});

test('A decision that was made without the cache is counted in the line of its request', async () => {
  const lines = captureJsonLines();
  await call(make({}, { limiter: limiterThat({ source: 'local' }) }), list);
  await call(make({}, { limiter: limiterThat() }), list);
  const counted = lines.filter((line) => line[metricNames.requests] === 1);
  expect(counted.map((line) => line[metricNames.limiterFallbacks])).toEqual([1, undefined]);
});

test('Bad input does not reach the handler', async () => {
  captureJsonLines();
  const reached: unknown[] = [];
  const handler = make({ 'POST /projects': (request) => (reached.push(request), project) }, { maxBodyBytes: 100 });
  const post = { route: 'POST /projects' };
  const codes = await Promise.all([
    call(handler, { ...post, body: '{' }),
    call(handler, { ...post, body: { name: 'x'.repeat(200) } }),
    call(handler, { ...post, body: { name: '' } }),
    call(handler, { ...post, body: { name: 'a', tenantId: 'globex' } }),
    call(handler, { ...post, body: { name: 'a' }, headers: { 'Content-Type': 'text/plain' } }),
    call(handler, { ...post, body: { name: 'a' }, headers: { 'X-Tenant-ID': 'globex' } }),
    call(handler, { ...post, body: { name: 'a' }, headers: { 'Idempotency-Key': 'with blank' } }),
    call(handler, { ...post, body: { name: 'a' }, headers: { 'Idempotency-Key': ['one', 'another'] } }),
  ]);
  expect(codes.map(({ statusCode, json }) => [statusCode, (json as { code: string }).code])).toEqual([
    [400, 'body-not-json'],
    [413, 'body-too-large'],
    [400, 'validation-failed'],
    [400, 'validation-failed'],
    [415, 'unsupported-media-type'],
    [403, 'tenant-mismatch'],
    [400, 'validation-failed'],
    [400, 'validation-failed'],
  ]);
  expect(reached).toEqual([]);
});

test('Interleaved requests through one warm function each see their own tenant, also beside failing ones', async () => {
  captureJsonLines();
  const handler = make({
    'GET /projects': async ({ query }) => {
      const { tenantId } = currentTenant();
      for (let step = 0; step < query.limit % 5; step += 1) await (step % 2 ? setImmediate() : setTimeout(1));
      expect(currentTenant().tenantId).toBe(tenantId);
      if (query.limit % 7 === 0) throw new AppError('conflict', tenantId);
      return { items: [{ ...project, name: currentTenant().tenantId }], nextCursor: null };
    },
  });
  const answers = await Promise.all(
    Array.from({ length: 500 }, async (_, at) => {
      const tenantId = `tenant-${at % 50}`;
      const query = { limit: String((at % 100) + 1) };
      const { json } = await call(handler, { ...list, query, authorizer: authorizerContext(tenantId) });
      const { items, detail } = json as { items?: { name: string }[]; detail?: string };
      return { tenantId, seen: items?.[0]?.name ?? detail };
    }),
  );
  expect(answers.filter(({ tenantId, seen }) => tenantId !== seen)).toEqual([]);
  expect(currentTenantIfAny()).toBeUndefined();
});

test('Without the authorizer the tenant is resolved by header: 400 when it is missing, 404 when unknown, 403 when suspended', async () => {
  captureJsonLines();
  const placement = { model: 'pool', cluster: 'main', database: 'tenantry', schema: 'pool' } as const;
  const states = new Map(Object.entries({ acme: 'active', umbrella: 'suspended' }));
  const resolveTenant = fromHeader({
    findTenant: async (tenantId) => {
      const state = states.get(tenantId);
      return state === undefined ? undefined : { tenantId, plan: 'free', limits: null, state, placement, apiKey: null };
    },
    signingKey: async () => ({ keyId: 'k1', secret: new Uint8Array(32) }),
  });
  const own = {
    'GET /projects': () => ({ items: [{ ...project, name: currentTenant().tenantId }], nextCursor: null }),
  };
  const handler = make(own, { resolveTenant });
  const as = (headers: Record<string, string>) => call(handler, { ...list, headers, authorizer: {} });
  expect(await as({ 'X-Tenant-ID': 'acme' })).toMatchObject({ statusCode: 200, json: { items: [{ name: 'acme' }] } });
  expect(await as({})).toMatchObject({ statusCode: 400, json: { code: 'tenant-not-named' } });
  expect(await as({ 'X-Tenant-ID': 'nobody' })).toMatchObject({ statusCode: 404, json: { code: 'tenant-not-found' } });
  expect(await as({ 'X-Tenant-ID': 'umbrella' })).toMatchObject({
    statusCode: 403,
    json: { code: 'tenant-suspended' },
  });
});

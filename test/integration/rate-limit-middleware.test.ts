import { setTimeout as sleep } from 'node:timers/promises';
import middy from '@middy/core';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plans, type TenantLimits } from '../../shared/contract/index.ts';
import { AppError } from '../../shared/errors/index.ts';
import { type CacheConnection, openCacheConnection } from '../../shared/cache/index.ts';
import type { RouteDescriptions } from '../../shared/http/index.ts';
import { serviceLogger } from '../../shared/logging/index.ts';
import { type ApiEvent, problemDetails, tenantContext } from '../../shared/middleware/index.ts';
import { rateLimit } from '../../shared/middleware/rate-limit.ts';
import { responseHeaders } from '../../shared/middleware/response-headers.ts';
import { routing } from '../../shared/middleware/routing.ts';
import { createRateLimiter, type RateLimiter } from '../../shared/rate-limit/index.ts';
import { fromAuthorizer, runInTenantScope } from '../../shared/tenancy/index.ts';
import { apiEvent, authorizerContext, lambdaContext } from '../helpers/api-gateway.ts';
import { freePort } from '../helpers/ports.ts';
import { startTestRedis, type TestRedis } from '../helpers/redis.ts';

type Call = (tenantId: string, options?: { body?: string; remainingMs?: number }) => Promise<APIGatewayProxyResult>;

const route = 'GET /projects';
const plain = { summary: 'Lists' };
let redis: TestRedis;
let connection: CacheConnection;
let absent: CacheConnection;

beforeAll(async () => {
  redis = await startTestRedis('embedded');
  connection = openCacheConnection(redis.url, { timeoutMs: 10_000 });
  absent = openCacheConnection(`redis://127.0.0.1:${await freePort()}`, { warn: () => undefined });
});
afterAll(async () => {
  connection.close();
  absent.close();
  await redis.stop();
});

/** Answers 200, or fails as the event's body says. */
function api(limiter: RateLimiter, routes: RouteDescriptions = {}, limits?: TenantLimits): Call {
  const stack = middy<ApiEvent, APIGatewayProxyResult>({ timeoutEarlyInMillis: 500, timeoutEarlyResponse: endEarly })
    .use([responseHeaders([]), problemDetails(serviceLogger('test')), routing({ [route]: plain, ...routes })])
    .use([tenantContext(async (event) => ({ ...(await fromAuthorizer()(event)), ...(limits && { limits }) }))])
    .use(rateLimit(limiter, routes))
    .handler(async ({ body }) => {
      if (body === 'wait') await sleep(60_000, undefined, { ref: false });
      if (body) throw new AppError('not-found', body);
      return { statusCode: 200, headers: { 'X-Own': 'kept' }, body: '' };
    });
  return (tenantId, { body, remainingMs = 10_000 } = {}) => {
    const authorizer = authorizerContext(tenantId, { plan: 'free' });
    const event = apiEvent({ route, authorizer, ...(body && { body }) });
    const context = { ...lambdaContext(), getRemainingTimeInMillis: () => remainingMs };
    return runInTenantScope(() => stack(event, context));
  };
}
function endEarly(): never {
  throw new AppError('gateway-timeout', 'The handler did not end in time.');
}

describe('rateLimit', () => {
  const { burst, requestsPerMinute } = plans.free;

  it('tells where the client stands, on answers and on errors', async () => {
    const call = api(createRateLimiter({ connection }));
    const answer = await call('one');
    expect(answer).toMatchObject({ statusCode: 200, headers: { 'X-Own': 'kept' } });
    expect(answer.headers).toMatchObject({
      'X-RateLimit-Limit': String(burst),
      'X-RateLimit-Remaining': String(burst - 1),
      'X-RateLimit-Reset': '1',
      'RateLimit-Policy': `"free";q=${burst};w=${(burst * 60) / requestsPerMinute}`,
      RateLimit: `"free";r=${burst - 1};t=1`,
    });
    const error = await call('one', { body: 'No such project.' });
    expect(error).toMatchObject({ statusCode: 404, headers: { 'X-RateLimit-Remaining': String(burst - 2) } });
    expect(error.headers).toHaveProperty('Content-Type', 'application/problem+json');
  });

  it('refuses what is beyond the plan, with 429 and Retry-After', async () => {
    const limiter = createRateLimiter({ connection });
    await limiter.consume({ tenantId: 'two', limit: plans.free, weight: burst });
    const refused = await api(limiter)('two');
    expect(refused.statusCode).toBe(429);
    expect(JSON.parse(refused.body)).toMatchObject({
      code: 'rate-limited',
      detail: expect.stringContaining('plan free'),
    });
    expect(refused.headers).toMatchObject({
      'Retry-After': String(60 / requestsPerMinute),
      'X-RateLimit-Remaining': '0',
    });
  });

  it('lets requests through when Redis is away', async () => {
    const answer = await api(createRateLimiter({ connection: absent }))('three');
    expect(answer).toMatchObject({ statusCode: 200, headers: { 'X-RateLimit-Remaining': String(burst - 1) } });
  });

  it('answers 503 when Redis is away and it is set to refuse then', async () => {
    const limiter = createRateLimiter({ connection: absent, whenUnavailable: 'closed' });
    const answer = await api(limiter)('four');
    expect(answer).toMatchObject({ statusCode: 503, headers: { 'Retry-After': '1' } });
    expect(answer.headers).not.toHaveProperty('X-RateLimit-Limit');
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'limiter-unavailable' });
  });

  it('counts a route that is heavy for more, and against a limit of its own as well', async () => {
    const limited = { [route]: { ...plain, weight: 2, limit: { requestsPerMinute: 1, burst: 4 } } };
    const call = api(createRateLimiter({ connection }), limited);
    expect((await call('five')).headers).toMatchObject({
      'X-RateLimit-Limit': '4',
      'X-RateLimit-Remaining': '2',
      'RateLimit-Policy': `"free";q=${burst};w=10, "${route}";q=4;w=240`,
      RateLimit: `"free";r=${burst - 2};t=1, "${route}";r=2;t=60`,
    });
    await call('five');
    const refused = await call('five');
    expect(refused).toMatchObject({ statusCode: 429, headers: { 'Retry-After': '120' } });
    expect(JSON.parse(refused.body)).toMatchObject({ detail: expect.stringContaining(`${route} takes 1 requests`) });
    expect(refused.headers?.['RateLimit']).toContain(`"free";r=${burst - 4};`);
  });

  it('grants a tenant less than its plan where that is set', async () => {
    const call = api(createRateLimiter({ connection }), {}, { requestsPerMinute: 1, burst: 1 });
    expect((await call('six')).headers).toMatchObject({ 'RateLimit-Policy': '"free";q=1;w=60' });
    expect(JSON.parse((await call('six')).body)).toMatchObject({
      code: 'rate-limited',
      detail: expect.stringContaining('The tenant is granted 1 requests a minute'),
    });
  });

  it('refuses what is more at a time than the tenant may have, with 429 and no Retry-After', async () => {
    const limiter = createRateLimiter({ connection });
    const limit = { requestsPerMinute, burst };
    await limiter.consume({ tenantId: 'seven', limit, concurrency: { limit: 1, leaseMs: 10_000 } });
    const refused = await api(limiter, {}, { concurrentRequests: 1 })('seven');
    expect(refused).toMatchObject({ statusCode: 429, headers: { 'X-RateLimit-Remaining': String(burst - 1) } });
    expect(refused.headers).not.toHaveProperty('Retry-After');
    expect(JSON.parse(refused.body)).toMatchObject({ code: 'concurrency-limited' });
  });

  it.each([
    ['is answered', 200, {}],
    ['fails', 404, { body: 'No such project.' }],
    ['does not end in time', 504, { body: 'wait', remainingMs: 700 }],
  ])('gives the place of a request back when it %s', async (_, statusCode, options) => {
    const call = api(createRateLimiter({ connection }), {}, { concurrentRequests: 1 });
    for (const attempt of [1, 2])
      expect(await call(`ends-${statusCode}`, options), `${attempt}`).toMatchObject({ statusCode });
    expect(await connection.run((client) => client.exists(`t:{ends-${statusCode}}:leases`))).toBe(0);
  });

  it('holds a place for no longer than the function has time', async () => {
    const call = api(createRateLimiter({ connection }), {}, { concurrentRequests: 1 });
    const answer = call('held', { body: 'wait', remainingMs: 1_500 });
    const places = () => connection.run((client) => client.zrange('t:{held}:leases', '0', '-1', 'WITHSCORES'));
    await expect.poll(async () => (await places()).length).toBe(2);
    const [, endsAtMicros] = await places();
    expect(Number(endsAtMicros) / 1_000 - Date.now()).toBeLessThanOrEqual(1_500);
    expect(await answer).toMatchObject({ statusCode: 504 });
  });
});

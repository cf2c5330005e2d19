import middy from '@middy/core';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plans } from '../../shared/contract/index.ts';
import { AppError } from '../../shared/errors/index.ts';
import { type CacheConnection, openCacheConnection } from '../../shared/cache/index.ts';
import { serviceLogger } from '../../shared/logging/index.ts';
import { type ApiEvent, problemDetails, tenantContext } from '../../shared/middleware/index.ts';
import { rateLimit } from '../../shared/middleware/rate-limit.ts';
import { responseHeaders } from '../../shared/middleware/response-headers.ts';
import { createRateLimiter, type RateLimiter } from '../../shared/rate-limit/index.ts';
import { fromAuthorizer, runInTenantScope } from '../../shared/tenancy/index.ts';
import { apiEvent, authorizerContext, lambdaContext } from '../helpers/api-gateway.ts';
import { freePort } from '../helpers/ports.ts';
import { startTestRedis, type TestRedis } from '../helpers/redis.ts';

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
function api(limiter: RateLimiter): (tenantId: string, failure?: string) => Promise<APIGatewayProxyResult> {
  const stack = middy<ApiEvent, APIGatewayProxyResult>()
    .use([responseHeaders([]), problemDetails(serviceLogger('test'))])
    .use([tenantContext(fromAuthorizer()), rateLimit(limiter)])
    .handler(async ({ body }) => {
      if (body) throw new AppError('not-found', body);
      return { statusCode: 200, headers: { 'X-Own': 'kept' }, body: '' };
    });
  return (tenantId, failure) => {
    const authorizer = authorizerContext(tenantId, { plan: 'free' });
    const event = apiEvent({ route: 'GET /projects', authorizer, ...(failure && { body: failure }) });
    return runInTenantScope(() => stack(event, lambdaContext()));
  };
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
    const error = await call('one', 'No such project.');
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
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CacheConnection, openCacheConnection } from '../../shared/cache/index.ts';
import { createRateLimiter, type RateLimitRequest } from '../../shared/rate-limit/index.ts';
import { redisKinds, startTestRedis, type TestRedis } from '../helpers/redis.ts';

/** Long enough for the slowest machine: these tests are about what is decided, not how fast. */
const patient = { timeoutMs: 10_000 };
const servers = redisKinds.flatMap((kind) => [
  { kind, cluster: false, name: kind },
  { kind, cluster: true, name: `${kind} in cluster mode` },
]);
/** Refills so slowly that nothing flows back during a test. */
const scarce = (burst: number) => ({ requestsPerMinute: 0.1, burst });

describe.each(servers)('several limits at once, on $name', ({ kind, cluster }) => {
  let redis: TestRedis;
  const open: CacheConnection[] = [];
  let tenants = 0;
  const freshTenant = (): string => `tenant-${++tenants}`;
  const connect = (): CacheConnection => {
    const connection = openCacheConnection(redis.url, patient);
    open.push(connection);
    return connection;
  };
  const keysOf = (tenantId: string) =>
    open[0]?.run((client) => client.mget(`t:{${tenantId}}:limit:all`, `t:{${tenantId}}:limit:exports`));

  beforeAll(async () => void (redis = await startTestRedis(kind, { cluster })));
  afterEach(() => open.splice(0).forEach((connection) => connection.close()));
  afterAll(() => redis.stop());

  it('takes a request out of both buckets, or out of neither', async () => {
    const limiter = createRateLimiter({ connection: connect() });
    const tenantId = freshTenant();
    const both: RateLimitRequest = { tenantId, limit: scarce(5), also: [{ scope: 'exports', limit: scarce(2) }] };
    const first = await limiter.consume(both);
    expect(first.limits.map(({ scope, remaining }) => [scope, remaining])).toEqual([
      ['all', 4],
      ['exports', 1],
    ]);
    expect(first).toMatchObject({ allowed: true, scope: 'exports', limit: 2, remaining: 1 });
    await limiter.consume(both);
    const before = await keysOf(tenantId);
    const refused = await limiter.consume(both);
    expect(refused).toMatchObject({ allowed: false, refusedBy: 'rate', scope: 'exports', source: 'redis' });
    expect(refused.limits.map(({ remaining }) => remaining)).toEqual([3, 0]);
    expect(refused.limits.map(({ retryAfterSeconds }) => retryAfterSeconds > 0)).toEqual([false, true]);
    expect(await keysOf(tenantId)).toEqual(before);
    expect(await limiter.consume({ tenantId, limit: scarce(5), weight: 3 })).toMatchObject({ allowed: true });
    expect(await limiter.consume({ ...both, also: [{ scope: 'others', limit: scarce(2) }] })).toMatchObject({
      allowed: false,
      scope: 'all',
      limits: [{ remaining: 0 }, { scope: 'others', remaining: 2, nextSeconds: 0 }],
    });
  });

  it('holds no more places than there are, and gives each back once', async () => {
    const limiter = createRateLimiter({ connection: connect() });
    const tenantId = freshTenant();
    const request = { tenantId, limit: scarce(9), concurrency: { limit: 2, leaseMs: 60_000 } };
    const [one, two] = [await limiter.consume(request), await limiter.consume(request)];
    const before = await keysOf(tenantId);
    expect(await limiter.consume(request)).toMatchObject({
      allowed: false,
      refusedBy: 'concurrency',
      remaining: 7,
      retryAfterSeconds: 0,
    });
    expect(await keysOf(tenantId)).toEqual(before);
    await one.release();
    await one.release();
    expect([await limiter.consume(request), await limiter.consume(request)]).toMatchObject([
      { allowed: true },
      { allowed: false },
    ]);
    await two.release();
    expect(await limiter.consume({ ...request, tenantId: freshTenant() })).toMatchObject({ allowed: true });
  });

  it('takes no place for a request that its rate refuses', async () => {
    const limiter = createRateLimiter({ connection: connect() });
    const request = { tenantId: freshTenant(), limit: scarce(1), concurrency: { limit: 1, leaseMs: 60_000 } };
    await (await limiter.consume(request)).release();
    expect(await limiter.consume(request)).toMatchObject({ allowed: false, refusedBy: 'rate' });
    expect(await open[0]?.run((client) => client.exists(`t:{${request.tenantId}}:leases`))).toBe(0);
  });

  it('frees the place of a function that was killed when its time would have been over', async () => {
    const limiter = createRateLimiter({ connection: connect() });
    const tenantId = freshTenant();
    const ask = (leaseMs: number) =>
      limiter.consume({ tenantId, limit: scarce(9), concurrency: { limit: 2, leaseMs } });
    await ask(60_000);
    await ask(150);
    expect(await ask(100)).toMatchObject({ allowed: false, refusedBy: 'concurrency' });
    await sleep(200);
    expect(await ask(100)).toMatchObject({ allowed: true });
    const key = `t:{${tenantId}}:leases`;
    expect(await open[0]?.run((client) => client.zcard(key))).toBe(2);
    expect(await open[0]?.run((client) => client.pttl(key))).toBeGreaterThan(50_000);
  });

  it('is exact for 32 clients over four connections: two buckets and places', async () => {
    const limiters = Array.from({ length: 4 }, () => createRateLimiter({ connection: connect() }));
    const tenantId = freshTenant();
    const limits = { all: { requestsPerMinute: 6_000, burst: 40 }, exports: { requestsPerMinute: 3_000, burst: 20 } };
    const request = {
      tenantId,
      limit: limits.all,
      also: [{ scope: 'exports', limit: limits.exports }],
      concurrency: { limit: 6, leaseMs: 60_000 },
    };
    const until = performance.now() + 1_500;
    const admitted: { sent: number; received: number }[] = [];
    const refusals = new Set<string | undefined>();
    let under = 0;
    let most = 0;
    const client = async (_: unknown, index: number): Promise<void> => {
      while (performance.now() < until) {
        const sent = performance.now();
        const decision = await limiters[index % limiters.length]?.consume(request);
        expect(decision?.source).toBe('redis');
        if (!decision?.allowed) {
          refusals.add(decision?.refusedBy);
          continue;
        }
        admitted.push({ sent, received: performance.now() });
        most = Math.max(most, (under += 1));
        await sleep(5);
        under -= 1;
        await decision.release();
      }
    };
    await Promise.all(Array.from({ length: 32 }, client));
    expect(most).toBeLessThanOrEqual(6);
    expect(refusals).toEqual(new Set(['rate', 'concurrency']));
    expect(admitted.length).toBeGreaterThan(20);
    for (const { requestsPerMinute, burst } of Object.values(limits)) {
      // Redis decided at some moment between sending and receiving: count what lies within the window for certain.
      for (const { sent } of admitted) {
        const ends = admitted.filter((other) => other.sent >= sent).map(({ received }) => received);
        for (const [count, end] of ends.toSorted((a, b) => a - b).entries())
          expect(count + 1).toBeLessThanOrEqual(burst + ((end - sent) / 60_000) * requestsPerMinute);
      }
    }
    expect(await open[0]?.run((own) => own.exists(`t:{${tenantId}}:leases`))).toBe(0);
  });
});

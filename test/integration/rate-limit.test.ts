import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type CacheConnection, openCacheConnection } from '../../shared/cache/index.ts';
import { bucketOf, costOf, takeAll } from '../../shared/rate-limit/gcra.ts';
import { createRateLimiter, type RateLimitDecision } from '../../shared/rate-limit/index.ts';
import { defineTake, takeFrom } from '../../shared/rate-limit/script.ts';
import { redisKinds, startTestRedis, type TestRedis } from '../helpers/redis.ts';

/** Long enough for the slowest machine: these tests are about what is decided, not how fast. */
const patient = { timeoutMs: 10_000 };
/** Timers of Node begin with the turn of the event loop, up to some milliseconds before they are set. */
async function atLeast(ms: number): Promise<void> {
  const until = performance.now() + ms;
  while (performance.now() < until) await sleep(until - performance.now());
}
const servers = redisKinds.flatMap((kind) => [
  { kind, cluster: false, name: kind },
  { kind, cluster: true, name: `${kind} in cluster mode` },
]);

describe.each(servers)('the rate limiter on $name', ({ kind, cluster }) => {
  let redis: TestRedis;
  const open: CacheConnection[] = [];
  let tenants = 0;
  const freshTenant = (): string => `tenant-${++tenants}`;
  const connect = (): CacheConnection => {
    const connection = openCacheConnection(redis.url, patient);
    open.push(connection);
    return connection;
  };

  beforeAll(async () => void (redis = await startTestRedis(kind, { cluster })));
  afterEach(() => open.splice(0).forEach((connection) => connection.close()));
  afterAll(() => redis.stop());

  it('counts down a burst, refuses what is beyond it, and says when there is more', async () => {
    const limiter = createRateLimiter({ connection: connect() });
    const request = { tenantId: freshTenant(), limit: { requestsPerMinute: 60, burst: 3 } };
    const decisions: RateLimitDecision[] = [];
    for (let i = 0; i < 4; i++) decisions.push(await limiter.consume(request));
    expect(decisions.map(({ allowed, remaining }) => [allowed, remaining])).toEqual([
      [true, 2],
      [true, 1],
      [true, 0],
      [false, 0],
    ]);
    expect(decisions.at(0)).toMatchObject({
      limit: 3,
      windowSeconds: 3,
      resetSeconds: 1,
      nextSeconds: 1,
      retryAfterSeconds: 0,
    });
    expect(decisions.at(-1)).toMatchObject({ limit: 3, resetSeconds: 3, retryAfterSeconds: 1, source: 'redis' });
  });

  it('never admits more than burst + rate · t in any window, asked by 32 clients over four connections', async () => {
    const limit = { requestsPerMinute: 6_000, burst: 20 };
    const tenantId = freshTenant();
    const limiters = Array.from({ length: 4 }, () => createRateLimiter({ connection: connect() }));
    const until = performance.now() + 1_500;
    const admitted: { sent: number; received: number }[] = [];
    const client = async (_: unknown, index: number): Promise<void> => {
      while (performance.now() < until) {
        // By the clock that Redis decides by, since that may be set meanwhile.
        const sent = Date.now();
        const decision = await limiters[index % limiters.length]?.consume({ tenantId, limit });
        expect(decision?.source).toBe('redis');
        if (decision?.allowed) admitted.push({ sent, received: Date.now() + 1 });
      }
    };
    await Promise.all(Array.from({ length: 32 }, client));
    expect(admitted.length).toBeGreaterThan(limit.burst);
    // Redis decided at some moment between sending and receiving: count what lies within the window for certain.
    const sentInOrder = admitted.toSorted((a, b) => a.sent - b.sent);
    for (const [from, { sent }] of sentInOrder.entries()) {
      const received = sentInOrder.slice(from).map((admission) => admission.received);
      for (const [count, end] of received.toSorted((a, b) => a - b).entries()) {
        expect(count + 1).toBeLessThanOrEqual(limit.burst + ((end - sent) / 60_000) * limit.requestsPerMinute);
      }
    }
  });

  it('decides as the arithmetic of gcra.ts does, whatever is in the buckets and however many of them and of places there are', async () => {
    const connection = connect();
    defineTake(connection.client);
    const tenantId = freshTenant();
    const micros = (): number => Date.now() * 1_000;
    const slackMicros = 2_000;
    const asked = fc.record({
      limit: fc.record({ requestsPerMinute: fc.constantFrom(30, 60, 600), burst: fc.integer({ min: 1, max: 10 }) }),
      weight: fc.integer({ min: 1, max: 10 }),
      // What is there, by whoever takes the bucket for that large: from full to further ahead than can be.
      state: fc.option(
        fc.record({
          aheadMicros: fc.integer({ min: -2_000_000, max: 25_000_000 }),
          capacityMicros: fc.constantFrom(500_000, 10_000_000, 20_000_000),
        }),
        { nil: undefined },
      ),
    });
    const places = fc.option(
      fc.record({ limit: fc.integer({ min: 1, max: 3 }), taken: fc.integer({ min: 0, max: 3 }) }),
      {
        nil: undefined,
      },
    );
    const leases = `t:{${tenantId}}:leases`;
    await fc.assert(
      fc.asyncProperty(fc.array(asked, { minLength: 1, maxLength: 3 }), places, async (all, room) => {
        const now = micros();
        const states = all.map(
          ({ state }) => state && { tat: now + state.aheadMicros, capacityMicros: state.capacityMicros },
        );
        const wishes = all.map(({ limit, weight }, at) => {
          const bucket = bucketOf(limit);
          return { key: `t:{${tenantId}}:limit:${at}`, bucket, costMicros: costOf(weight, bucket) };
        });
        await connection.run((client) => client.del(leases, ...wishes.map(({ key }) => key)));
        for (const [at, { key }] of wishes.entries()) {
          const state = states[at];
          if (state) await connection.run((client) => client.set(key, `${state.tat}.0${state.capacityMicros}`));
        }
        // One of those that were taken has run out.
        for (let id = 0; id < (room?.taken ?? 0); id += 1)
          await connection.run((client) => client.zadd(leases, now + (id === 0 ? -1 : 60_000_000), `other-${id}`));
        const before = micros() - slackMicros;
        const place = room && { key: leases, id: 'own', limit: room.limit, leaseMs: 60_000 };
        const verdict = await takeFrom(connection, wishes, place);
        const [earliest, latest] = [before, micros() + slackMicros].map((at) => takeAll(wishes, states, at));
        if (!earliest || earliest.allowed !== latest?.allowed) return;
        const isFull = room !== undefined && Math.max(room.taken - 1, 0) >= room.limit;
        const refusedBy = earliest.allowed ? (isFull ? 'concurrency' : undefined) : 'rate';
        expect([verdict.allowed, verdict.refusedBy]).toEqual([refusedBy === undefined, refusedBy]);
        const kept = await connection.run((client) => client.mget(...wishes.map(({ key }) => key)));
        expect(await connection.run((client) => client.zscore(leases, 'own'))).toEqual(
          room && verdict.allowed ? expect.any(String) : null,
        );
        // A refusal for want of a place takes nothing, as one for the rate.
        const costless = wishes.map((wish) => ({ ...wish, costMicros: 0 }));
        const [first, last] = isFull
          ? [before, micros() + slackMicros].map((at) => takeAll(costless, states, at))
          : [earliest, latest];
        for (const [at, outcome] of verdict.outcomes.entries()) {
          expect(outcome.usedMicros).toBeLessThanOrEqual(first?.outcomes[at]?.usedMicros ?? -1);
          expect(outcome.usedMicros).toBeGreaterThanOrEqual(last?.outcomes[at]?.usedMicros ?? Infinity);
          if (!isFull) {
            expect(outcome.waitMicros).toBeLessThanOrEqual(earliest.outcomes[at]?.waitMicros ?? -1);
            expect(outcome.waitMicros).toBeGreaterThanOrEqual(latest.outcomes[at]?.waitMicros ?? Infinity);
          }
          const [, tat, capacity] = /^(\d+)\.0(\d+)$/.exec(kept[at] ?? '') ?? [];
          if (!verdict.allowed || tat === undefined) continue;
          expect(Number(capacity)).toBe(wishes[at]?.bucket.capacityMicros);
          expect(Number(tat)).toBeGreaterThanOrEqual(earliest.states[at]?.tat ?? Infinity);
          expect(Number(tat)).toBeLessThanOrEqual(latest.states[at]?.tat ?? -1);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('leaves the bucket as it is when it refuses', async () => {
    const connection = connect();
    const limiter = createRateLimiter({ connection });
    const request = { tenantId: freshTenant(), limit: { requestsPerMinute: 1, burst: 2 } };
    await limiter.consume({ ...request, weight: 2 });
    const before = await connection.client.get(`t:{${request.tenantId}}:limit:all`);
    const refused = await Promise.all(Array.from({ length: 100 }, () => limiter.consume(request)));
    expect(refused.filter(({ allowed }) => allowed)).toEqual([]);
    expect(before).toMatch(/^\d{16}\.0120000000$/);
    expect(await connection.client.get(`t:{${request.tenantId}}:limit:all`)).toBe(before);
  });

  it.each([
    ['a bucket', []],
    ['one of several buckets', [{ scope: 'GET /projects', limit: { requestsPerMinute: 600, burst: 100 } }]],
  ])('admits whoever waited for Retry-After also where the limit of %s was lowered', async (_, also) => {
    const limiter = createRateLimiter({ connection: connect() });
    const request = { tenantId: freshTenant(), limit: { requestsPerMinute: 60, burst: 3 }, also };
    const lowered = { ...request, limit: { requestsPerMinute: 60, burst: 1 } };
    for (let taken = 0; taken < 3; taken += 1) expect((await limiter.consume(request)).allowed).toBe(true);
    expect(await limiter.consume(lowered)).toMatchObject({ allowed: false, remaining: 0, retryAfterSeconds: 3 });
    // Functions that have not heard of it yet get no more for that either.
    expect(await limiter.consume(request)).toMatchObject({ allowed: false, retryAfterSeconds: 1 });
    await atLeast(3_000);
    expect(await limiter.consume(lowered)).toMatchObject({ allowed: true, source: 'redis' });
  });

  it.each([
    ['a bucket', []],
    ['one of several buckets', [{ scope: 'GET /projects', limit: { requestsPerMinute: 600, burst: 100 } }]],
  ])('admits whoever waited for Retry-After also where %s is further ahead than it can be', async (_, also) => {
    const connection = connect();
    const limiter = createRateLimiter({ connection });
    const tenantId = freshTenant();
    const request = { tenantId, limit: { requestsPerMinute: 60, burst: 1 }, also };
    // As a server leaves it whose clock is set back by an hour.
    const inAnHour = `${(Date.now() + 3_600_000) * 1_000}.01000000`;
    await connection.run((client) => client.set(`t:{${tenantId}}:limit:all`, inAnHour));
    expect(await limiter.consume(request)).toMatchObject({ allowed: false, retryAfterSeconds: 1 });
    await atLeast(1_000);
    expect(await limiter.consume(request)).toMatchObject({ allowed: true, source: 'redis' });
  });

  it('takes a bucket that holds nonsense for a full one', async () => {
    const connection = connect();
    const tenantId = freshTenant();
    await connection.run((client) => client.set(`t:{${tenantId}}:limit:all`, 'nonsense'));
    const decision = await createRateLimiter({ connection }).consume({
      tenantId,
      limit: { requestsPerMinute: 1, burst: 2 },
    });
    expect(decision).toMatchObject({ allowed: true, remaining: 1, source: 'redis' });
  });

  it('admits a client that waited for Retry-After', async () => {
    const limiter = createRateLimiter({ connection: connect() });
    const request = { tenantId: freshTenant(), limit: { requestsPerMinute: 150, burst: 4 }, weight: 2 };
    for (const round of [1, 2]) {
      let decision = await limiter.consume(request);
      while (decision.allowed) decision = await limiter.consume(request);
      expect(decision.retryAfterSeconds, `round ${round}`).toBe(1);
      await atLeast(decision.retryAfterSeconds * 1_000);
      expect(await limiter.consume(request), `round ${round}`).toMatchObject({ allowed: true, source: 'redis' });
    }
  });

  it('keeps tenants and scopes apart', async () => {
    const limiter = createRateLimiter({ connection: connect() });
    const limit = { requestsPerMinute: 1, burst: 1 };
    const [one, other] = [freshTenant(), freshTenant()];
    const requests = [{ tenantId: one }, { tenantId: one }, { tenantId: other }, { tenantId: one, scope: 'exports' }];
    const decisions = [];
    for (const request of requests) decisions.push(await limiter.consume({ ...request, limit }));
    expect(decisions.map(({ allowed }) => allowed)).toEqual([true, false, true, true]);
  });

  it('keeps one small key a bucket, which is gone when the bucket is full', async () => {
    const connection = connect();
    const limiter = createRateLimiter({ connection });
    const request = { tenantId: freshTenant(), limit: { requestsPerMinute: 6_000, burst: 50 } };
    const key = `t:{${request.tenantId}}:limit:all`;
    for (let i = 0; i < 30; i++) await limiter.consume(request);
    expect(await connection.client.strlen(key)).toBeLessThan(30);
    expect(await connection.client.pttl(key)).toBeGreaterThan(0);
    expect(await connection.client.pttl(key)).toBeLessThanOrEqual(500);
    await sleep(600);
    expect(await connection.client.exists(key)).toBe(0);
  });

  it('goes on when the server has forgotten the script', async () => {
    const connection = connect();
    const limiter = createRateLimiter({ connection });
    const request = { tenantId: freshTenant(), limit: { requestsPerMinute: 1, burst: 2 } };
    await limiter.consume(request);
    await connection.client.script('FLUSH');
    expect(await limiter.consume(request)).toMatchObject({ allowed: true, remaining: 0, source: 'redis' });
    expect(await limiter.consume(request)).toMatchObject({ allowed: false, source: 'redis' });
  });
});

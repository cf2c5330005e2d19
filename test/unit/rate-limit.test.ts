import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planNames, plans } from '../../shared/contract/index.ts';
import { type BucketState, bucketOf, costOf, take } from '../../shared/rate-limit/gcra.ts';
import { limitsFor, rateLimitHeaders, type RateLimitDecision } from '../../shared/rate-limit/index.ts';
import { createLocalLeases } from '../../shared/rate-limit/leases.ts';
import { createLocalBuckets } from '../../shared/rate-limit/local-buckets.ts';

const limits = fc.record({
  requestsPerMinute: fc.integer({ min: 1, max: 100_000 }),
  burst: fc.integer({ min: 1, max: 500 }),
});
/** Pauses and weights of a tenant's requests, pauses in tenths of the bucket's interval. */
const traffic = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 5 })), { maxLength: 80 });

describe('the bucket', () => {
  it('admits at most burst + rate · t in every window of length t', () => {
    fc.assert(
      fc.property(limits, traffic, (limit, requests) => {
        const bucket = bucketOf(limit);
        const admitted: { at: number; weight: number }[] = [];
        let now = 1_800_000_000_000_000;
        let state: BucketState | undefined;
        for (const [pause, weight] of requests) {
          now += Math.round((pause * bucket.intervalMicros) / 10);
          const outcome = take(state, now, costOf(weight, bucket), bucket.capacityMicros);
          state = outcome.state;
          if (outcome.allowed) admitted.push({ at: now, weight: Math.min(weight, limit.burst) });
        }
        admitted.forEach((first, from) => {
          let weight = 0;
          for (const last of admitted.slice(from)) {
            weight += last.weight;
            const allowance = limit.burst + (limit.requestsPerMinute / 60_000_000) * (last.at - first.at);
            expect(weight).toBeLessThanOrEqual(allowance + 1e-6);
          }
        });
      }),
    );
  });

  it('admits a refused request after the wait that it names, and not a microsecond earlier', () => {
    fc.assert(
      fc.property(
        limits,
        fc.integer({ min: 1, max: 600 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (limit, weight, fill) => {
          const bucket = bucketOf(limit);
          const now = 1_800_000_000_000_000;
          const { capacityMicros } = bucket;
          const state = { tat: now + Math.round(fill * capacityMicros), capacityMicros };
          const cost = costOf(weight, bucket);
          const { allowed, waitMicros } = take(state, now, cost, capacityMicros);
          fc.pre(!allowed);
          expect(take(state, now + waitMicros, cost, capacityMicros).allowed).toBe(true);
          expect(take(state, now + waitMicros - 1, cost, capacityMicros).allowed).toBe(false);
        },
      ),
    );
  });

  it('admits no more than a limit says to those who go by it, whatever others go by, and whoever waits is admitted', () => {
    const request = fc.record({
      pause: fc.integer({ min: 0, max: 40 }),
      weight: fc.integer({ min: 1, max: 5 }),
      view: fc.integer({ min: 0, max: 1 }),
    });
    fc.assert(
      fc.property(fc.tuple(limits, limits), fc.array(request, { maxLength: 80 }), (views, requests) => {
        const admitted = views.map((): { at: number; weight: number }[] => []);
        let now = 1_800_000_000_000_000;
        let state: BucketState | undefined;
        for (const { pause, weight, view } of requests) {
          const { burst } = views[view] ?? { burst: 0 };
          const bucket = bucketOf(views[view] ?? { requestsPerMinute: 1, burst: 1 });
          now += Math.round((pause * bucket.intervalMicros) / 10);
          const outcome = take(state, now, costOf(weight, bucket), bucket.capacityMicros);
          state = outcome.state;
          if (outcome.allowed) admitted[view]?.push({ at: now, weight: Math.min(weight, burst) });
          const later = take(state, now + outcome.waitMicros, costOf(weight, bucket), bucket.capacityMicros);
          if (!outcome.allowed) expect(later.allowed).toBe(true);
        }
        for (const [view, own] of admitted.entries()) {
          own.forEach((first, from) => {
            let weight = 0;
            for (const last of own.slice(from)) {
              weight += last.weight;
              const { burst, requestsPerMinute } = views[view] ?? { burst: 0, requestsPerMinute: 0 };
              expect(weight).toBeLessThanOrEqual(
                burst + (requestsPerMinute / 60_000_000) * (last.at - first.at) + 1e-6,
              );
            }
          });
        }
      }),
    );
  });

  it('keeps what was taken of a larger bucket while others take it for a smaller one', () => {
    const [large, small] = [5, 1].map((burst) => bucketOf({ requestsPerMinute: 60, burst }));
    const now = 1_800_000_000_000_000;
    const ask = (state: BucketState | undefined, bucket = large) =>
      take(state, now, bucket?.intervalMicros ?? 0, bucket?.capacityMicros ?? 0);
    let state: BucketState | undefined;
    for (let taken = 0; taken < 5; taken += 1) ({ state } = ask(state));
    expect(ask(state, small)).toMatchObject({ allowed: false, usedMicros: 5_000_000, waitMicros: 5_000_000 });
    expect(ask(ask(state, small).state)).toMatchObject({ allowed: false, waitMicros: 1_000_000 });
  });

  it('makes a tenant wait for one bucket at most when the clock was set back', () => {
    const { capacityMicros, intervalMicros } = bucketOf({ requestsPerMinute: 60, burst: 10 });
    const yesterday = 1_800_000_000_000_000;
    const tomorrow = yesterday + 86_400_000_000;
    expect(take({ tat: tomorrow, capacityMicros }, yesterday, intervalMicros, capacityMicros).waitMicros).toBe(
      intervalMicros,
    );
  });

  it('takes whole for a request that is heavier than itself', () => {
    const bucket = bucketOf({ requestsPerMinute: 60, burst: 10 });
    expect(costOf(25, bucket)).toBe(bucket.capacityMicros);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses to weigh a request at %s', (weight) => {
    expect(() => costOf(weight, bucketOf({ requestsPerMinute: 60, burst: 10 }))).toThrow(RangeError);
  });

  it.each([
    [0, 1],
    [-1, 1],
    [Number.NaN, 1],
    [Infinity, 1],
    [1e-9, 1_000_000],
    [60, 0],
    [60, -1],
    [60, 1.5],
    [60, Number.NaN],
    [60, Infinity],
  ])('refuses to be filled at %s a minute, up to %s', (requestsPerMinute, burst) => {
    expect(() => bucketOf({ requestsPerMinute, burst })).toThrow(RangeError);
  });
});

describe('limitsFor', () => {
  it.each(planNames)('grants plan %s what the contract says', (plan) => {
    const { requestsPerMinute, burst, concurrentRequests } = plans[plan];
    expect(limitsFor(plan)).toEqual({
      requestsPerMinute,
      burst,
      ...(concurrentRequests !== undefined && { concurrentRequests }),
    });
  });

  it('grants a tenant less where that is set, and never more than its plan', () => {
    expect(limitsFor('pro', { burst: 5, concurrentRequests: 3 })).toMatchObject({
      requestsPerMinute: plans.pro.requestsPerMinute,
      burst: 5,
      concurrentRequests: 3,
    });
    expect(limitsFor('free', { requestsPerMinute: 1e9, burst: 1e9 })).toMatchObject({
      requestsPerMinute: plans.free.requestsPerMinute,
      burst: plans.free.burst,
    });
  });

  it('never grants a bucket that holds nothing, since that would refuse nothing', () => {
    const none = limitsFor('free', { requestsPerMinute: 0, burst: 0, concurrentRequests: -1 });
    expect(none).toEqual({ requestsPerMinute: 1, burst: 1, concurrentRequests: 1 });
  });
});

describe('local buckets', () => {
  const bucket = bucketOf({ requestsPerMinute: 60, burst: 2 });
  const now = 1_800_000_000_000_000;

  it('keep keys apart', () => {
    const buckets = createLocalBuckets();
    const allowed = ['a', 'a', 'a', 'b'].map(
      (key) => buckets.take([{ key, bucket, costMicros: bucket.intervalMicros }], now).allowed,
    );
    expect(allowed).toEqual([true, true, false, true]);
  });

  it('forget the key that was used longest ago when there are too many', () => {
    const buckets = createLocalBuckets(2);
    const use = (key: string): boolean =>
      buckets.take([{ key, bucket, costMicros: bucket.capacityMicros }], now).allowed;
    expect(['a', 'b', 'a', 'c'].map(use)).toEqual([true, true, false, true]);
    expect(use('a')).toBe(false);
    expect(use('b')).toBe(true);
  });
});

describe('rateLimitHeaders', () => {
  const status = {
    scope: 'all',
    limit: 50,
    remaining: 2,
    resetSeconds: 5,
    nextSeconds: 1,
    windowSeconds: 5,
    retryAfterSeconds: 3,
  };
  const release = () => Promise.resolve();
  const admitted: RateLimitDecision = { ...status, allowed: true, limits: [status], source: 'redis', release };
  const refused: RateLimitDecision = { ...admitted, allowed: false, refusedBy: 'rate' };

  it('tell a refused client what it may do, and when', () => {
    expect(rateLimitHeaders(refused, 'pro')).toEqual({
      'X-RateLimit-Limit': '50',
      'X-RateLimit-Remaining': '2',
      'X-RateLimit-Reset': '5',
      'RateLimit-Policy': '"pro";q=50;w=5',
      RateLimit: '"pro";r=2;t=1',
      'Retry-After': '3',
    });
  });

  it('name no Retry-After for an admitted request, nor where too many are under way', () => {
    expect(rateLimitHeaders(admitted, 'pro')).not.toHaveProperty('Retry-After');
    expect(rateLimitHeaders({ ...refused, refusedBy: 'concurrency' }, 'pro')).not.toHaveProperty('Retry-After');
  });

  it('list each limit by its name, a route’s by the route', () => {
    const route = { ...status, scope: 'POST /exports', limit: 2, remaining: 0, nextSeconds: 10, windowSeconds: 20 };
    expect(rateLimitHeaders({ ...refused, ...route, limits: [status, route] }, 'pro')).toMatchObject({
      'X-RateLimit-Limit': '2',
      'X-RateLimit-Remaining': '0',
      'RateLimit-Policy': '"pro";q=50;w=5, "POST /exports";q=2;w=20',
      RateLimit: '"pro";r=2;t=1, "POST /exports";r=0;t=10',
    });
  });

  it('are empty when nobody could count', () => {
    expect(rateLimitHeaders({ ...refused, source: 'none' }, 'pro')).toEqual({});
  });
});

describe('places of this process', () => {
  const place = { key: 't:{acme}:leases', limit: 2, leaseMs: 1_000 };

  it('are free again when they are given back, or their time is over', () => {
    const leases = createLocalLeases();
    for (const id of ['a', 'b']) leases.add({ ...place, id }, 0);
    expect(leases.hasRoom({ ...place, id: 'c' }, 999)).toBe(false);
    leases.remove({ ...place, id: 'a' });
    expect(leases.hasRoom({ ...place, id: 'c' }, 999)).toBe(true);
    leases.add({ ...place, id: 'c' }, 999);
    expect(leases.hasRoom({ ...place, id: 'd' }, 999)).toBe(false);
    expect(leases.hasRoom({ ...place, id: 'd' }, 1_000)).toBe(true);
  });
});

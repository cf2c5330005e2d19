import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { standing } from '../../shared/rate-limit/decision.ts';
import { type BucketState, bucketOf, costOf, takeAll } from '../../shared/rate-limit/gcra.ts';
import { rateLimitHeaders } from '../../shared/rate-limit/index.ts';

type States = readonly (BucketState | undefined)[];

const start = 1_800_000_000_000_000;
const second = 1_000_000;
const limit = fc.record({
  requestsPerMinute: fc.oneof(fc.integer({ min: 1, max: 1_000 }), fc.constantFrom(6_000, 7_777, 100_000)),
  burst: fc.integer({ min: 1, max: 60 }),
});
const limits = fc.array(limit, { minLength: 1, maxLength: 2 });
/** Pauses in tenths of a second, and weights. */
const traffic = fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 5 })), { maxLength: 40 });

interface Moment {
  readonly now: number;
  readonly weight: number;
  readonly allowed: boolean;
  readonly before: States;
  readonly after: States;
  readonly headers: Readonly<Record<string, string>>;
}

/** A client's requests against one or two buckets, on a clock of their own. */
function run(limitsOfAll: readonly { requestsPerMinute: number; burst: number }[], requests: [number, number][]) {
  const buckets = limitsOfAll.map(bucketOf);
  const wishesOf = (weight: number) =>
    buckets.map((bucket, index) => {
      const scope = index === 0 ? 'all' : 'route';
      return { scope, key: scope, bucket, costMicros: costOf(weight, bucket) };
    });
  let now = start;
  let before: States = buckets.map(() => undefined);
  const moments = requests.map(([pause, weight]): Moment => {
    now += (pause * second) / 10;
    const wishes = wishesOf(weight);
    const { allowed, outcomes, states: after } = takeAll(wishes, before, now);
    const verdict = { allowed, ...(!allowed && { refusedBy: 'rate' as const }) };
    const release = () => Promise.resolve();
    const decision = { ...standing(wishes, outcomes), ...verdict, source: 'redis' as const, release };
    const moment = { now, weight, allowed, before, after, headers: rateLimitHeaders(decision, 'plan') };
    before = after;
    return moment;
  });
  /** Whether a bucket alone would admit so many plain requests. */
  const admits = (index: number, state: BucketState | undefined, at: number, count: number): boolean => {
    const [bucket] = buckets.slice(index);
    if (!bucket || count * bucket.intervalMicros > bucket.capacityMicros) return false;
    return takeAll([{ bucket, costMicros: count * bucket.intervalMicros }], [state], at).allowed;
  };
  return { moments, wishesOf, admits };
}

/** The numbers of `"a";r=1;t=2, "b";r=3;t=4`, by limit. */
const numbersOf = (header = ''): [number, number][] =>
  [...header.matchAll(/;\w=(\d+);\w=(\d+)/g)].map(([, one, other]) => [Number(one), Number(other)]);

describe('what headers say, of one bucket or two', () => {
  it('is true of Retry-After: who waits it out is admitted', () => {
    fc.assert(
      fc.property(limits, traffic, (all, requests) => {
        const { moments, wishesOf } = run(all, requests);
        for (const { now, weight, allowed, after, headers } of moments) {
          expect(Object.hasOwn(headers, 'Retry-After')).toBe(!allowed);
          const later = now + Number(headers['Retry-After'] ?? 0) * second;
          if (!allowed) expect(takeAll(wishesOf(weight), after, later).allowed).toBe(true);
        }
      }),
    );
  });

  it('is true of RateLimit: r more requests fit now and no more, and after t seconds there is room for another', () => {
    fc.assert(
      fc.property(limits, traffic, (all, requests) => {
        const { moments, admits } = run(all, requests);
        for (const { now, after, headers } of moments) {
          const told = numbersOf(headers['RateLimit']);
          expect(told).toHaveLength(all.length);
          for (const [index, [r, t]] of told.entries()) {
            expect(r === 0 || admits(index, after[index], now, r)).toBe(true);
            expect(admits(index, after[index], now, r + 1)).toBe(false);
            if (t === 0) expect(r).toBe(all[index]?.burst);
            else {
              expect(admits(index, after[index], now + t * second, r + 1)).toBe(true);
              expect(admits(index, after[index], now + (t - 1) * second, r + 1)).toBe(false);
            }
          }
        }
      }),
    );
  });

  it('is true of X-RateLimit and RateLimit-Policy: least remaining, of which all are full after Reset; q in w seconds', () => {
    fc.assert(
      fc.property(limits, traffic, (all, requests) => {
        const { moments, admits } = run(all, requests);
        for (const { now, after, headers } of moments) {
          const remaining = numbersOf(headers['RateLimit']).map(([r]) => r);
          expect(Number(headers['X-RateLimit-Remaining'])).toBe(Math.min(...remaining));
          const tightest = [...remaining.keys()].filter((index) => remaining[index] === Math.min(...remaining));
          expect(tightest.map((index) => all[index]?.burst)).toContain(Number(headers['X-RateLimit-Limit']));
          const full = now + Number(headers['X-RateLimit-Reset']) * second;
          for (const index of tightest) expect(admits(index, after[index], full, all[index]?.burst ?? 0)).toBe(true);
          for (const [index, [q, w]] of numbersOf(headers['RateLimit-Policy']).entries()) {
            const { capacityMicros } = bucketOf(all[index] ?? { requestsPerMinute: 1, burst: 1 });
            expect(admits(index, { tat: now + capacityMicros, capacityMicros }, now + w * second, q)).toBe(true);
          }
        }
      }),
    );
  });
});

describe('two buckets at once', () => {
  it('admit at most burst + rate · t of each in every window of length t', () => {
    fc.assert(
      fc.property(fc.tuple(limit, limit), traffic, (all, requests) => {
        const admitted = run(all, requests).moments.filter(({ allowed }) => allowed);
        for (const { burst, requestsPerMinute } of all) {
          for (const [from, first] of admitted.entries()) {
            let weight = 0;
            for (const last of admitted.slice(from)) {
              weight += Math.min(last.weight, burst);
              const allowance = burst + (requestsPerMinute / 60 / second) * (last.now - first.now);
              expect(weight).toBeLessThanOrEqual(allowance + 1e-6);
            }
          }
        }
      }),
    );
  });

  it('lose nothing to a request that either refuses', () => {
    fc.assert(
      fc.property(fc.tuple(limit, limit), traffic, (all, requests) => {
        for (const { now, allowed, before, after } of run(all, requests).moments)
          if (!allowed)
            expect(after.map((state) => state?.tat)).toEqual(before.map((state) => Math.max(state?.tat ?? now, now)));
      }),
    );
  });
});

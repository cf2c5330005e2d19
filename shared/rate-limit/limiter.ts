import { randomUUID } from 'node:crypto';
import { type CacheConnection, CacheUnavailableError } from '../cache/index.ts';
import { type RateLimitDecision, type ScopedWish, standing } from './decision.ts';
import { bucketOf, costOf, type Verdict } from './gcra.ts';
import { createLocalLeases, type Place, type Refusal } from './leases.ts';
import type { RateLimit } from './limits.ts';
import { createLocalBuckets } from './local-buckets.ts';
import { defineTake, takeFrom } from './script.ts';

export interface RateLimitRequest {
  readonly tenantId: string;
  readonly limit: RateLimit;
  /** What the limit is for; each scope has a bucket of its own. @default 'all', every request of the tenant */
  readonly scope?: string;
  /** Further limits that the request must fit into, each with a scope of its own. @default none */
  readonly also?: readonly ScopedLimit[];
  /** How many plain requests this one counts for, in every bucket. @default 1 */
  readonly weight?: number;
  /** Limits the tenant's requests that are under way at the same time, of which this is one until `release`. @default no limit */
  readonly concurrency?: ConcurrencyLimit;
}

export interface ScopedLimit {
  readonly scope: string;
  readonly limit: RateLimit;
}

export interface ConcurrencyLimit {
  readonly limit: number;
  /** Milliseconds after which the request's place is free again if it is not released: what remains of the function's time. */
  readonly leaseMs: number;
}

export interface RateLimiterOptions {
  readonly connection: CacheConnection;
  /** While Redis is away: `open` admits within the limits as far as this process sees, `closed` refuses. @default 'open' */
  readonly whenUnavailable?: 'open' | 'closed';
}

export interface RateLimiter {
  /**
   * Takes a request's weight out of the tenant's buckets if it is in all of them, and a place if those are limited and one is free;
   * otherwise it takes nothing. Answers within the connection's timeout, whatever becomes of Redis, and does not throw for it.
   *
   * While a cluster hands a tenant's slot from node to node it may decline to look at several keys at once: what has more than one
   * bucket, or a place, is then decided as if Redis were away.
   *
   * @example
   * const { allowed } = await limiter.consume({ tenantId: 'acme', limit: limitsFor('pro') });
   */
  consume(request: RateLimitRequest): Promise<RateLimitDecision>;
}

/** A limiter that all functions share, exact to the request. */
export function createRateLimiter({ connection, whenUnavailable = 'open' }: RateLimiterOptions): RateLimiter {
  const insurance = createInsurance();
  defineTake(connection.client);
  return {
    consume: async (request) => {
      const wishes = wishesOf(request);
      const place = placeOf(request);
      try {
        const { outcomes, ...verdict } = await takeFrom(connection, wishes, place);
        const release = verdict.allowed && place ? () => leave(connection, place) : nothing;
        return { ...standing(wishes, outcomes), ...verdict, source: 'redis', release };
      } catch (error) {
        if (!(error instanceof CacheUnavailableError)) throw error;
        // Whatever was sent may be done yet. Servers keep to the order, so that what is sent now comes after it.
        if (place && error.cause !== undefined) void leave(connection, place);
        return whenUnavailable === 'open' ? insurance(wishes, place) : refusal(wishes);
      }
    },
  };
}

/**
 * Forgets what a tenant has used, for who has given it other limits: use is time that flows back, and what was little under a low limit would be a lot
 * under a high one.
 *
 * @throws CacheUnavailableError
 */
export async function forgetUse(connection: CacheConnection, tenantId: string): Promise<void> {
  await connection.run((client) => client.del(keyOf(tenantId, 'limit:all')));
}

// The braces put all keys of a tenant into one slot of a cluster.
const keyOf = (tenantId: string, name: string): string => `t:{${tenantId}}:${name}`;

function wishesOf({ tenantId, limit, scope = 'all', also = [], weight = 1 }: RateLimitRequest): ScopedWish[] {
  return [{ scope, limit }, ...also].map((scoped) => {
    const bucket = bucketOf(scoped.limit);
    const key = keyOf(tenantId, `limit:${scoped.scope}`);
    return { scope: scoped.scope, key, bucket, costMicros: costOf(weight, bucket) };
  });
}

function placeOf({ tenantId, concurrency }: RateLimitRequest): Place | undefined {
  return concurrency && { key: keyOf(tenantId, 'leases'), id: randomUUID(), ...concurrency };
}

const nothing = (): Promise<void> => Promise.resolve();

/** A place that cannot be given back, which the connection reports, is free again when its lease is over. */
async function leave(connection: CacheConnection, { key, id }: Place): Promise<void> {
  await connection.run((client) => client.zrem(key, id), { always: true }).catch(() => undefined);
}

/** Decides as far as this process sees. */
function createInsurance(): (wishes: readonly ScopedWish[], place?: Place) => RateLimitDecision {
  const buckets = createLocalBuckets();
  const leases = createLocalLeases();
  const take = (wishes: readonly ScopedWish[], place?: Place): Verdict & { readonly refusedBy?: Refusal } => {
    if (place && !leases.hasRoom(place)) {
      // Takes nothing, and tells what is in there.
      const { outcomes } = buckets.take(wishes.map((wish) => ({ ...wish, costMicros: 0 })));
      return { outcomes, allowed: false, refusedBy: 'concurrency' };
    }
    const verdict = buckets.take(wishes);
    if (!verdict.allowed) return { ...verdict, refusedBy: 'rate' };
    if (place) leases.add(place);
    return verdict;
  };
  return (wishes, place) => {
    const { outcomes, ...verdict } = take(wishes, place);
    const release = place && verdict.allowed ? async () => leases.remove(place) : nothing;
    return { ...standing(wishes, outcomes), ...verdict, source: 'local', release };
  };
}

/** Nobody knows when Redis is back: ask again after as short a wait as the header can name. */
function refusal(wishes: readonly ScopedWish[]): RateLimitDecision {
  const outcomes = wishes.map(({ bucket }) => ({ usedMicros: bucket.capacityMicros, waitMicros: 1 }));
  return { ...standing(wishes, outcomes), allowed: false, source: 'none', release: nothing };
}

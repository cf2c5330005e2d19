import { type CacheConnection, CacheUnavailableError } from '../cache/index.ts';
import { type Bucket, bucketOf, costOf, type Outcome } from './gcra.ts';
import type { RateLimit } from './limits.ts';
import { createLocalBuckets } from './local-buckets.ts';
import { defineTake, takeFrom } from './script.ts';

export interface RateLimitRequest {
  readonly tenantId: string;
  readonly limit: RateLimit;
  /** What the limit is for; each scope has a bucket of its own. @default 'all', every request of the tenant */
  readonly scope?: string;
  /** How many plain requests this one counts for. @default 1 */
  readonly weight?: number;
}

export interface RateLimitDecision {
  readonly allowed: boolean;
  /** Plain requests that a full bucket holds. */
  readonly limit: number;
  /** Plain requests that would be admitted right now, after this one. */
  readonly remaining: number;
  /** Whole seconds, rounded up, until the bucket is full if nothing more comes. */
  readonly resetSeconds: number;
  /** Whole seconds, rounded up, until one more plain request is admitted than now. */
  readonly nextSeconds: number;
  /** Whole seconds, rounded up, in which an empty bucket fills. */
  readonly windowSeconds: number;
  /** Whole seconds, rounded up, after which a refused request is admitted; 0 for an allowed one. */
  readonly retryAfterSeconds: number;
  /** Who decided: Redis, this process alone because Redis did not answer, or nobody (then it is refused). */
  readonly source: 'redis' | 'local' | 'none';
}

export interface RateLimiterOptions {
  readonly connection: CacheConnection;
  /** While Redis is away: `open` admits within the limit as far as this process sees, `closed` refuses. @default 'open' */
  readonly whenUnavailable?: 'open' | 'closed';
}

export interface RateLimiter {
  /**
   * Takes a request's weight out of the tenant's bucket, if it is in there. Answers within the connection's timeout, whatever
   * becomes of Redis, and does not throw for it.
   *
   * @example
   * const { allowed } = await limiter.consume({ tenantId: 'acme', limit: limitFor('pro') });
   */
  consume(request: RateLimitRequest): Promise<RateLimitDecision>;
}

/** A limiter that all functions share, exact to the request. */
export function createRateLimiter({ connection, whenUnavailable = 'open' }: RateLimiterOptions): RateLimiter {
  const insurance = createLocalBuckets();
  defineTake(connection.client);
  return {
    consume: async ({ tenantId, limit, scope = 'all', weight = 1 }) => {
      const bucket = bucketOf(limit);
      const cost = costOf(weight, bucket);
      // The braces put all keys of a tenant into one slot of a cluster.
      const key = `t:{${tenantId}}:limit:${scope}`;
      try {
        return decision(await connection.run((client) => takeFrom(client, key, bucket, cost)), bucket, 'redis');
      } catch (error) {
        if (!(error instanceof CacheUnavailableError)) throw error;
        if (whenUnavailable === 'open') return decision(insurance.take(key, bucket, cost), bucket, 'local');
        // Nobody knows when Redis is back: ask again after as short a wait as the header can name.
        return decision({ allowed: false, usedMicros: bucket.capacityMicros, waitMicros: 1 }, bucket, 'none');
      }
    },
  };
}

function decision(
  { allowed, usedMicros, waitMicros }: Outcome,
  { intervalMicros, capacityMicros }: Bucket,
  source: RateLimitDecision['source'],
): RateLimitDecision {
  const remaining = Math.floor((capacityMicros - usedMicros) / intervalMicros);
  return {
    allowed,
    limit: capacityMicros / intervalMicros,
    remaining,
    resetSeconds: toSeconds(usedMicros),
    nextSeconds: toSeconds((remaining + 1) * intervalMicros - (capacityMicros - usedMicros)),
    windowSeconds: toSeconds(capacityMicros),
    retryAfterSeconds: toSeconds(waitMicros),
    source,
  };
}

/** Rounded up: who waits that long has waited long enough. */
function toSeconds(micros: number): number {
  return Math.ceil(micros / 1_000_000);
}

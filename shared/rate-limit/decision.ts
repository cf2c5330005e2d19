import type { Bucket, Outcome, Wish } from './gcra.ts';
import type { Refusal } from './leases.ts';

/** Where a client stands with one limit. */
export interface LimitStatus {
  /** What the limit is for: `all` requests of the tenant, or a route. */
  readonly scope: string;
  /** Plain requests that a full bucket holds. */
  readonly limit: number;
  /** Plain requests that the bucket would admit right now, after this one. */
  readonly remaining: number;
  /** Whole seconds, rounded up, until the bucket is full if nothing more comes. */
  readonly resetSeconds: number;
  /** Whole seconds, rounded up, until the bucket admits one more plain request than now; 0 if it is full. */
  readonly nextSeconds: number;
  /** Whole seconds, rounded up, in which an empty bucket fills. */
  readonly windowSeconds: number;
  /** Whole seconds, rounded up, after which a request that was refused fits into the bucket; 0 if it does now. */
  readonly retryAfterSeconds: number;
}

/** What became of a request. Beside `limits` it says where the client stands with the tightest one: that with least remaining, and of several the one that is full last. */
export interface RateLimitDecision extends LimitStatus {
  readonly allowed: boolean;
  /** What refused it; undefined if it was allowed, or nobody could say. Where both would, it is either. */
  readonly refusedBy?: Refusal;
  /** Every limit that the request counts against, in the order in which they were named. */
  readonly limits: readonly LimitStatus[];
  /**
   * Whole seconds, rounded up, after which a request that its rate refused fits into every bucket; 0 for others: nobody knows when a
   * request that is under way ends.
   */
  readonly retryAfterSeconds: number;
  /** Who decided: Redis, this process alone because Redis did not answer, or nobody (then it is refused). */
  readonly source: 'redis' | 'local' | 'none';
  /** Gives the place back that the request holds while it is under way, if those are limited. Never throws. */
  release(): Promise<void>;
}

export interface ScopedWish extends Wish {
  readonly scope: string;
}

/** What all buckets say, in units of requests and seconds. */
export function standing(
  wishes: readonly ScopedWish[],
  outcomes: readonly Outcome[],
): LimitStatus & Pick<RateLimitDecision, 'limits'> {
  const limits = wishes.map(({ scope, bucket }, at) => statusOf(scope, bucket, outcomes[at] ?? idle));
  const [first, ...others] = limits;
  if (!first) throw new RangeError('A decision is about one limit at least.');
  let [tightest, retryAfterSeconds] = [first, first.retryAfterSeconds];
  for (const limit of others) {
    if (isTighter(limit, tightest)) tightest = limit;
    // Who waits for the slowest has waited for all.
    retryAfterSeconds = Math.max(retryAfterSeconds, limit.retryAfterSeconds);
  }
  return { ...tightest, limits, retryAfterSeconds };
}

/** Less remains, or as much and for longer: who has waited for that one has waited for both. */
function isTighter(one: LimitStatus, other: LimitStatus): boolean {
  if (one.remaining !== other.remaining) return one.remaining < other.remaining;
  return one.resetSeconds > other.resetSeconds;
}

const idle: Outcome = { usedMicros: 0, waitMicros: 0 };

function statusOf(
  scope: string,
  { intervalMicros, capacityMicros }: Bucket,
  { usedMicros, waitMicros }: Outcome,
): LimitStatus {
  const limit = capacityMicros / intervalMicros;
  const leftMicros = capacityMicros - usedMicros;
  // Below zero where others, who take the bucket for a larger one, have taken more than it holds.
  const remaining = Math.max(0, Math.floor(leftMicros / intervalMicros));
  return {
    scope,
    limit,
    remaining,
    resetSeconds: toSeconds(usedMicros),
    nextSeconds: remaining === limit ? 0 : toSeconds((remaining + 1) * intervalMicros - leftMicros),
    windowSeconds: toSeconds(capacityMicros),
    retryAfterSeconds: toSeconds(waitMicros),
  };
}

/** Rounded up: who waits that long has waited long enough. */
function toSeconds(micros: number): number {
  return Math.ceil(micros / 1_000_000);
}

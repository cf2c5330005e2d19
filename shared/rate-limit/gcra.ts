import type { RateLimit } from './limits.ts';

/**
 * The generic cell rate algorithm: a token bucket whose state is one moment, the "theoretical arrival time" (TAT) at which
 * it is full again. A request moves it on by its cost and is refused if that takes it further than a whole bucket ahead of now.
 * Over any window of length t it admits at most burst + rate · t, and a refused request leaves no trace.
 *
 * Times are microseconds, in whole numbers: they stay exact in a double (and so in Lua) until the year 2255.
 * @see https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
 */
export interface Bucket {
  /** Time in which one request's worth flows back. */
  readonly intervalMicros: number;
  /** Time in which an empty bucket fills up. */
  readonly capacityMicros: number;
}

/** What is kept of a bucket that is not full. */
export interface BucketState {
  /** Moment at which it is full again. */
  readonly tat: number;
  /**
   * What the last request that was admitted has taken it for. While some requests go by another limit than others, use may reach so far ahead also for
   * those who take it for less, and none of it is forgotten. What reaches further was not used: the clock was set back.
   */
  readonly capacityMicros: number;
}

/** How a request fares with one bucket. */
export interface Outcome {
  /** Time until the bucket is full again. */
  readonly usedMicros: number;
  /** Time until the request would fit; 0 if it does. */
  readonly waitMicros: number;
}

/**
 * The interval is rounded up, so that the rate is never exceeded.
 *
 * @throws RangeError for a limit that would refuse nothing, or everything, or whose times are no exact numbers
 */
export function bucketOf({ requestsPerMinute, burst }: RateLimit): Bucket {
  const intervalMicros = Math.ceil(60_000_000 / requestsPerMinute);
  const capacityMicros = intervalMicros * burst;
  if (!(intervalMicros > 0 && Number.isInteger(burst) && burst > 0 && Number.isSafeInteger(capacityMicros)))
    throw new RangeError(`${requestsPerMinute} requests a minute, ${burst} of them at once, is no limit.`);
  return { intervalMicros, capacityMicros };
}

/**
 * What a request of `weight` costs. A request heavier than the whole bucket takes the whole bucket, for else no wait would ever admit it.
 *
 * @throws RangeError if the weight is not a positive whole number
 */
export function costOf(weight: number, { intervalMicros, capacityMicros }: Bucket): number {
  if (!Number.isSafeInteger(weight) || weight < 1) {
    throw new RangeError(`The weight of a request must be a positive whole number, not ${weight}.`);
  }
  return Math.min(weight * intervalMicros, capacityMicros);
}

/** What a request asks of one bucket. */
export interface Wish {
  /** Where its state is. */
  readonly key: string;
  readonly bucket: Bucket;
  readonly costMicros: number;
}

/** The decision on all wishes of a request. A refused one has taken nothing from any bucket. */
export interface Verdict {
  readonly allowed: boolean;
  /** By wish. */
  readonly outcomes: readonly Outcome[];
}

/**
 * The decision that the Lua script makes on all wishes together, for where there is no Redis: what does not fit into every bucket is taken
 * from none.
 *
 * @param states of each wish's bucket; undefined for one that is full
 * @returns the verdict, and the states to keep
 */
export function takeAll(
  wishes: readonly Pick<Wish, 'bucket' | 'costMicros'>[],
  states: readonly (BucketState | undefined)[],
  now: number,
): Verdict & { readonly states: readonly BucketState[] } {
  const at = (costs: (index: number) => number) =>
    wishes.map(({ bucket }, index) => take(states[index], now, costs(index), bucket.capacityMicros));
  const taken = at((index) => wishes[index]?.costMicros ?? 0);
  const allowed = taken.every((outcome) => outcome.allowed);
  const untouched = at(() => 0);
  const kept = allowed ? taken : untouched;
  return {
    allowed,
    outcomes: kept.map(({ usedMicros }, index) => ({ usedMicros, waitMicros: taken[index]?.waitMicros ?? 0 })),
    states: kept.map(({ state }) => state),
  };
}

/**
 * The decision on one bucket.
 *
 * @param state of the bucket; undefined if it has none, which is full
 * @param capacityMicros what this request takes it for
 * @returns the outcome, and the state to keep if the request was allowed
 */
export function take(
  state: BucketState | undefined,
  now: number,
  costMicros: number,
  capacityMicros: number,
): Outcome & { readonly allowed: boolean; readonly state: BucketState } {
  const known = state && state.tat > now ? state : { tat: now, capacityMicros };
  const most = Math.max(known.capacityMicros, capacityMicros);
  const current = Math.min(known.tat, now + most);
  const next = current + costMicros;
  const waitMicros = Math.max(next - now - capacityMicros, 0);
  if (waitMicros === 0)
    return { allowed: true, usedMicros: next - now, waitMicros, state: { tat: next, capacityMicros } };
  const kept = current === known.tat ? known : { tat: current, capacityMicros: most };
  return { allowed: false, usedMicros: current - now, waitMicros, state: kept };
}

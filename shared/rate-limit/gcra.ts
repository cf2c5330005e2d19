import type { RateLimit } from './limits.ts';

/**
 * The generic cell rate algorithm: a token bucket whose whole state is one number, the "theoretical arrival time" (TAT) at which
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

/** How a request fares with one bucket. */
export interface Outcome {
  /** Time until the bucket is full again. */
  readonly usedMicros: number;
  /** Time until the request would fit; 0 if it does. */
  readonly waitMicros: number;
}

/** The interval is rounded up, so that the rate is never exceeded. */
export function bucketOf({ requestsPerMinute, burst }: RateLimit): Bucket {
  const intervalMicros = Math.ceil(60_000_000 / requestsPerMinute);
  return { intervalMicros, capacityMicros: intervalMicros * burst };
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
 * @param tats state of each wish's bucket; undefined for one that is full
 * @returns the verdict, and the states to keep
 */
export function takeAll(
  wishes: readonly Pick<Wish, 'bucket' | 'costMicros'>[],
  tats: readonly (number | undefined)[],
  now: number,
): Verdict & { readonly tats: readonly number[] } {
  const at = (costs: (index: number) => number) =>
    wishes.map(({ bucket }, index) => take(tats[index], now, costs(index), bucket.capacityMicros));
  const taken = at((index) => wishes[index]?.costMicros ?? 0);
  const allowed = taken.every((outcome) => outcome.allowed);
  const untouched = at(() => 0);
  const kept = allowed ? taken : untouched;
  return {
    allowed,
    outcomes: kept.map(({ usedMicros }, index) => ({ usedMicros, waitMicros: taken[index]?.waitMicros ?? 0 })),
    tats: kept.map(({ tat }) => tat),
  };
}

/**
 * The decision on one bucket.
 *
 * @param tat state of the bucket; undefined if it has none, which is full
 * @returns the outcome, and the state to keep if the request was allowed
 */
export function take(
  tat: number | undefined,
  now: number,
  costMicros: number,
  capacityMicros: number,
): Outcome & { readonly allowed: boolean; readonly tat: number } {
  // No further ahead than a whole bucket: so much a clock that was set back, or a limit that was lowered, may cost at most.
  const current = Math.min(Math.max(tat ?? now, now), now + capacityMicros);
  const next = current + costMicros;
  const waitMicros = Math.max(next - now - capacityMicros, 0);
  if (waitMicros > 0) return { allowed: false, usedMicros: current - now, waitMicros, tat: current };
  return { allowed: true, usedMicros: next - now, waitMicros: 0, tat: next };
}

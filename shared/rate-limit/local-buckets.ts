import { type BucketState, takeAll, type Verdict, type Wish } from './gcra.ts';

/** Buckets of this process alone. */
export interface LocalBuckets {
  /** @param now microseconds since the epoch */
  take(wishes: readonly Wish[], now?: number): Verdict;
}

/**
 * Insurance while Redis is away: a tenant gets its limit once for each function environment, instead of no limit at all.
 * At most `maxBuckets` are kept; the one that was used longest ago goes first.
 */
export function createLocalBuckets(maxBuckets = 10_000): LocalBuckets {
  // Maps keep the order of insertion, which makes this one a list by last use.
  const states = new Map<string, BucketState>();
  const keep = (key: string, state: BucketState): void => {
    states.delete(key);
    states.set(key, state);
    const [oldest] = states.keys();
    if (states.size > maxBuckets && oldest !== undefined) states.delete(oldest);
  };
  return {
    take: (wishes, now = Date.now() * 1_000) => {
      const known = wishes.map(({ key }) => states.get(key));
      const { states: next, ...verdict } = takeAll(wishes, known, now);
      for (const [index, state] of next.entries()) keep(wishes[index]?.key ?? '', state);
      return verdict;
    },
  };
}

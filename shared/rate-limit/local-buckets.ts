import { type Bucket, type Outcome, take } from './gcra.ts';

/** Buckets of this process alone. */
export interface LocalBuckets {
  take(key: string, bucket: Bucket, costMicros: number, now?: number): Outcome;
}

/**
 * Insurance while Redis is away: a tenant gets its limit once for each function environment, instead of no limit at all.
 * At most `maxBuckets` are kept; the one that was used longest ago goes first.
 */
export function createLocalBuckets(maxBuckets = 10_000): LocalBuckets {
  // Maps keep the order of insertion, which makes this one a list by last use.
  const tats = new Map<string, number>();
  return {
    take: (key, { capacityMicros }, costMicros, now = Date.now() * 1_000) => {
      const { tat, ...outcome } = take(tats.get(key), now, costMicros, capacityMicros);
      tats.delete(key);
      tats.set(key, tat);
      const [oldest] = tats.keys();
      if (tats.size > maxBuckets && oldest !== undefined) tats.delete(oldest);
      return outcome;
    },
  };
}

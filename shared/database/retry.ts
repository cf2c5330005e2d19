import { setTimeout as sleep } from 'node:timers/promises';
import { currentDeadline } from './deadline.ts';
import { failureOf } from './error-mapping.ts';
import type { Repeat } from './error-table.ts';

/**
 * What a call does when it runs twice:
 * - `harmless`: it reads; may be repeated also when nobody knows whether it ran
 * - `harmful`: it writes; repeated only when it certainly did not run
 * - `forbidden`: COMMIT, and everything inside of a transaction; never repeated
 */
export type Twice = 'harmless' | 'harmful' | 'forbidden';

const firstDelayMs = 50;
const longestDelayMs = 2_000;
/** Of calls that may have run: the database has work enough. Those that never ran go on until the deadline. */
const mostReads = 4;

/**
 * Makes a call, again and again where that is safe, until the deadline of the request.
 *
 * @throws DatabaseError for whatever the last call threw
 */
export async function withRetries<T>(twice: Twice, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const deadline = currentDeadline();
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await call(AbortSignal.timeout(Math.max(0, Math.ceil(deadline - Date.now()))));
    } catch (thrown) {
      const { error, repeat } = failureOf(thrown);
      const delayMs = backoffMs(attempt);
      if (!isRepeatable(twice, repeat, attempt) || Date.now() + delayMs >= deadline) throw error;
      await sleep(delayMs);
    }
  }
}

function isRepeatable(twice: Twice, repeat: Repeat, attempt: number): boolean {
  if (twice === 'forbidden' || repeat === 'never') return false;
  return repeat === 'always' || (twice === 'harmless' && attempt + 1 < mostReads);
}

/**
 * "Full jitter": anything up to an exponentially growing limit, so that clients that failed together do not come back together
 * (AWS Architecture Blog, "Exponential Backoff And Jitter").
 */
export function backoffMs(attempt: number): number {
  return Math.random() * Math.min(longestDelayMs, firstDelayMs * 2 ** attempt);
}

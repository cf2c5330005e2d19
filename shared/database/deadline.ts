import { AsyncLocalStorage } from 'node:async_hooks';

const storage = new AsyncLocalStorage<number>();

/** Time that a call takes at most when nobody said how long the function may still run. */
const defaultTimeoutMs = 25_000;

/** Time that rolling back may take once the deadline has passed. Whoever sets a deadline keeps it back. */
export const rollbackMs = 250;

/**
 * Runs `work`, whose database calls are retried and waited for until `deadline` and no longer.
 *
 * @param deadline milliseconds since the epoch: before the function, or its caller, times out, with `rollbackMs` to spare
 * @example withDeadline(Date.now() + context.getRemainingTimeInMillis() - 500 - rollbackMs, () => handler(event))
 */
export function withDeadline<T>(deadline: number, work: () => T): T {
  return storage.run(deadline, work);
}

/** When a call that starts now has to be over, in milliseconds since the epoch. */
export function currentDeadline(): number {
  return storage.getStore() ?? Date.now() + defaultTimeoutMs;
}

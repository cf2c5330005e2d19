import { setTimeout as sleep } from 'node:timers/promises';
import { TooManyRequestsException } from '@aws-sdk/client-api-gateway';

/** Attempts at a call that API Gateway refuses for its rate; with the waits between them, about half a minute. */
const attempts = 8;
const longestJitterMs = 8_000;

/**
 * Lets callers pass one after the other, evenly spaced.
 *
 * @param perSecond how many a second
 * @returns a function that resolves when it is the caller's turn; the first one's is at once
 */
export function pacer(perSecond: number): () => Promise<void> {
  let nextAt = 0;
  return async () => {
    const now = performance.now();
    const turnAt = Math.max(now, nextAt);
    nextAt = turnAt + 1_000 / perSecond;
    if (turnAt > now) await sleep(turnAt - now);
  };
}

/**
 * Makes a call again while API Gateway refuses it for being asked too often: the account shares one rate, which other callers use up
 * too. Waits as long as `Retry-After` says, and some more at random, so that those who were refused together do not come back together.
 *
 * @param call is not to have had any effect when it throws TooManyRequestsException
 * @throws TooManyRequestsException if it is refused eight times; everything else that `call` throws, at once
 */
export async function untilTaken<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof TooManyRequestsException) || attempt === attempts) throw error;
      const toldMs = (Number(error.retryAfterSeconds) || 0) * 1_000;
      await sleep(toldMs + Math.random() * Math.min(longestJitterMs, 250 * 2 ** attempt));
    }
  }
}

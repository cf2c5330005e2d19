import { setTimeout as sleep } from 'node:timers/promises';
import { TooManyRequestsException } from '@aws-sdk/client-api-gateway';

/** Attempts at a call that API Gateway refuses for its rate; with the waits between them, about half a minute. */
const attempts = 8;
const longestJitterMs = 8_000;

/** Resolves when it is the caller's turn. */
export type Turn = () => Promise<void>;

/**
 * Lets callers pass one after the other, never closer than the rate.
 *
 * @param perSecond how many a second; the first one passes at once
 * @param through where whoever has passed here has to pass next, before the next one may
 */
export function pacer(perSecond: number, through: Turn = () => Promise.resolve()): Turn {
  let nextAt = 0;
  let last = Promise.resolve();
  const pass = async (): Promise<void> => {
    const waitMs = nextAt - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    await through();
    nextAt = performance.now() + 1_000 / perSecond;
  };
  return () => (last = last.then(pass));
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

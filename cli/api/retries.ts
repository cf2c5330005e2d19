import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError } from '../command-error.ts';
import type { Answer } from './answer.ts';

/** An answer, or why there was none. */
export type Outcome = { readonly answer: Answer } | { readonly lost: string };

/** Attempts at one request when it comes too soon after others, which is how a long list of pages goes. */
const mostAttempts = 10;
/** Attempts when the connection is lost, or the answer is that something behind is out of order. */
const mostAttemptsAfterFaults = 4;
const firstDelayMs = 200;
const longestDelayMs = 5_000;
/** What asks for more patience than this is told to the operator. */
const longestRetryAfterSeconds = 30;

const tooMany = 429;
/** Out of order for the moment, or an answer that got lost behind the gateway. */
const faults = new Set([502, 503, 504]);

/**
 * Sends a request until it is answered for good. Waits longer each time, by chance more or less, and as long as the answer says.
 *
 * @param isRepeatable whether a request that may have been served may be sent again
 */
export async function attemptUntilAnswered(send: () => Promise<Answer>, isRepeatable: boolean): Promise<Outcome> {
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await attemptOnce(send);
    const most = mostAttemptsOf(outcome, isRepeatable);
    const retryAfterSeconds = 'answer' in outcome ? Number(outcome.answer.headers.get('retry-after') ?? NaN) : NaN;
    if (attempt >= most || retryAfterSeconds > longestRetryAfterSeconds) return withoutReason(outcome);
    const backoffMs = Math.min(longestDelayMs, firstDelayMs * 2 ** (attempt - 1)) * (0.5 + Math.random());
    await sleep(Number.isNaN(retryAfterSeconds) ? backoffMs : retryAfterSeconds * 1_000);
  }
}

type Attempt = { readonly answer: Answer } | { readonly lost: string; readonly mayBeServed: boolean };

async function attemptOnce(send: () => Promise<Answer>): Promise<Attempt> {
  try {
    return { answer: await send() };
  } catch (error) {
    if (error instanceof CommandError) throw error;
    if (error instanceof DOMException && error.name === 'TimeoutError') return { lost: 'timeout', mayBeServed: true };
    // What fetch throws for everything that is no answer.
    if (!(error instanceof TypeError)) throw error;
    const { cause } = error;
    const reason = cause instanceof Error ? cause : error;
    const code = 'code' in reason ? String(reason.code) : reason.message;
    return { lost: code, mayBeServed: !neverArrived.has(code) };
  }
}

/** Nobody is there: that is not going to change while somebody waits for a command. */
const neverArrived = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'CERT_HAS_EXPIRED']);

function mostAttemptsOf(attempt: Attempt, isRepeatable: boolean): number {
  if ('lost' in attempt) return attempt.mayBeServed && isRepeatable ? mostAttemptsAfterFaults : 1;
  if (attempt.answer.status === tooMany) return mostAttempts;
  return faults.has(attempt.answer.status) && isRepeatable ? mostAttemptsAfterFaults : 1;
}

const withoutReason = (attempt: Attempt): Outcome => ('lost' in attempt ? { lost: attempt.lost } : attempt);

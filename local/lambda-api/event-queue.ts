import { setTimeout as sleep } from 'node:timers/promises';
import type { InvocationResult } from '../lambda/function-process.ts';
import { readReportedError } from '../lambda/messages.ts';

/** Pauses before Lambda's second and third try: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html */
export const lambdaRetryDelaysMs: readonly number[] = [60_000, 120_000];

/** Asynchronous invocations: made in the background, and made again when they fail. */
export class EventQueue {
  readonly #stopped = new AbortController();
  readonly #retryDelaysMs: readonly number[];
  readonly #onGivenUp: (line: string) => void;

  /** @param onGivenUp told of an event whose every try has failed, since nobody waits for its answer */
  constructor(retryDelaysMs: readonly number[], onGivenUp: (line: string) => void) {
    this.#retryDelaysMs = retryDelaysMs;
    this.#onGivenUp = onGivenUp;
  }

  /** Resolves when the invocation has succeeded or was given up. @param retries most tries after the first one */
  async invoke(name: string, invoke: () => Promise<InvocationResult>, retries: number): Promise<void> {
    let problem = await problemOf(invoke);
    for (const delayMs of this.#retryDelaysMs.slice(0, retries)) {
      if (problem === undefined || !(await this.#pause(delayMs))) return;
      problem = await problemOf(invoke);
    }
    if (problem === undefined || this.#stopped.signal.aborted) return;
    this.#onGivenUp(`${name} failed, and nobody waits for its answer: ${problem}`);
  }

  /** @returns false if the stack stops meanwhile */
  async #pause(delayMs: number): Promise<boolean> {
    const { signal } = this.#stopped;
    await sleep(delayMs, undefined, { signal, ref: false }).catch(() => undefined);
    return !signal.aborted;
  }

  /** Lets go of what is still to be made again. */
  stop(): void {
    this.#stopped.abort();
  }
}

async function problemOf(invoke: () => Promise<InvocationResult>): Promise<string | undefined> {
  try {
    const { isError, payload } = await invoke();
    if (!isError) return undefined;
    const { errorType, errorMessage } = readReportedError(payload);
    return `${errorType}: ${errorMessage}`;
  } catch (error) {
    return String(error);
  }
}

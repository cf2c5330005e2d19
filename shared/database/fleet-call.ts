import { setTimeout as sleep } from 'node:timers/promises';

/** Tries of a call that failed as a whole. It can be repeated: the ledger knows what was done. */
const tries = 4;
const firstPauseMs = 200;

/**
 * Makes a call, and makes it again when it failed as a whole.
 *
 * @param isFinal whether asking again would be answered in the same way
 * @returns nothing when the call took too long to wait for; the database goes on with it
 */
export async function withTries<Result>(
  call: (isRepeated: boolean) => Promise<Result>,
  isFinal: (error: unknown) => boolean = isRefusal,
): Promise<Result | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call(attempt > 1);
    } catch (error) {
      if (isTimeout(error)) return undefined;
      if (attempt === tries || isFinal(error)) throw error;
      await sleep(firstPauseMs * 2 ** (attempt - 1));
    }
  }
}

/** Nobody knows whether the call has reached the database, as `ECONNRESET` of a connection that was closed in between. */
export function isLost(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^E[A-Z]+$/.test(String(error.code));
}

/** The statement takes longer than the Data API waits; it was told to go on all the same. */
export function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'StatementTimeoutException';
}

/** SQLSTATE of a database's error, from the Data API or a driver. */
export function sqlstateOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const [, state] = /SQLState: (\w{5})/.exec(error.message) ?? [];
  return state ?? ('code' in error && /^[0-9A-Z]{5}$/.test(String(error.code)) ? String(error.code) : undefined);
}

/** Asking again would be answered in the same way: the kernel's own errors, missing rights, mistakes. */
function isRefusal(error: unknown): boolean {
  return /^(TN|42|22|0A)/.test(sqlstateOf(error) ?? '');
}

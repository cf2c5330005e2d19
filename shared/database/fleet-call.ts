import { setTimeout as sleep } from 'node:timers/promises';

/** Tries of a call that failed as a whole. It can be repeated: the ledger knows what was done. */
const tries = 4;
const firstPauseMs = 200;

/** @returns nothing when the call took too long to wait for; the database goes on with it */
export async function withTries<Result>(call: (isRepeated: boolean) => Promise<Result>): Promise<Result | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call(attempt > 1);
    } catch (error) {
      if (isTimeout(error)) return undefined;
      if (attempt === tries || isRefusal(error)) throw error;
      await sleep(firstPauseMs * 2 ** (attempt - 1));
    }
  }
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

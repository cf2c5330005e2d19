import { setTimeout as sleep } from 'node:timers/promises';
import type { TenantContext } from '../tenancy/index.ts';
import { DatabaseError } from './database-error.ts';
import { currentDeadline } from './deadline.ts';
import { backoffMs } from './retry.ts';
import type { Home, Router } from './router.ts';

/** Where the tenant went, and where it went from there, if what is remembered of the first is out of date. */
const mostFollowed = 2;

/** A cut-over takes less than a second; who waits longer than this is told to come back. */
const longestWaitMs = 5_000;

const notAtHome = 'TN004';
/** No such relation, no such database, no such login: where the tenant was at home, its schema or its database may have been dropped since. */
const nothingThere: readonly (string | undefined)[] = ['42P01', '3D000', '28P01', '28000'];
const moving = 'TN006';

/**
 * Does `work` at the tenant's home. When the tenant is being moved it waits, and when it has moved it follows: whoever calls the
 * API meets a slower answer instead of an error. Nothing remains done when one of these refusals comes, so that writes may be repeated.
 *
 * @throws DatabaseError `tenant-moving` when that takes more than 5 s or than the request has, `tenant-unknown`
 */
export async function atHome<T>(router: Router, context: TenantContext, work: (home: Home) => Promise<T>): Promise<T> {
  const giveUpAt = Math.min(currentDeadline(), Date.now() + longestWaitMs);
  let followed = 0;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await work(router.homeOf(context));
    } catch (error) {
      const sqlState = error instanceof DatabaseError ? error.sqlState : undefined;
      if (sqlState === notAtHome || nothingThere.includes(sqlState)) {
        if (followed === mostFollowed) throw error;
        if (await router.refresh(context)) {
          followed += 1;
          continue;
        }
        // The registry knows of no other place than that one, and there nobody is.
        if (followed > 0) throw error;
      }
      if (sqlState !== notAtHome && sqlState !== moving) throw error;
      const delayMs = backoffMs(attempt);
      if (Date.now() + delayMs >= giveUpAt) throw error;
      await sleep(delayMs);
    }
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { TenantContext } from '../tenancy/index.ts';
import { DatabaseError } from './database-error.ts';
import { currentDeadline } from './deadline.ts';
import { backoffMs } from './retry.ts';
import type { Home, Router } from './router.ts';

/** A cut-over takes less than a second; who waits longer than this is told to come back. */
const longestWaitMs = 5_000;
/** How long before the one retry where the registry names the same home: a cut-over tells the registry before the database. */
const arrivalMs = 1_000;

const notAtHome = 'TN004';
/** No such relation, no such database, no such login: where the tenant was at home, its schema or its database may have been dropped since. */
const nothingThere: readonly (string | undefined)[] = ['42P01', '3D000', '28P01', '28000'];
const moving = 'TN006';

/**
 * Does `work` at the tenant's home. Where the database says that the tenant has moved, it looks once where to, and tries once more; while
 * it is being moved, it waits and asks nobody but that database. Whoever calls the API meets a slower answer instead of an error. Nothing
 * remains done when one of these refusals comes, so that writes may be repeated.
 *
 * @throws DatabaseError `tenant-moving` when that takes more than 5 s or than the request has, or the tenant is not where the registry has
 *   it; `tenant-unknown`
 */
export async function atHome<T>(router: Router, context: TenantContext, work: (home: Home) => Promise<T>): Promise<T> {
  const giveUpAt = Math.min(currentDeadline(), Date.now() + longestWaitMs);
  let hasRetried = false;
  for (let attempt = 0; ; attempt += 1) {
    const home = router.homeOf(context);
    try {
      return await work(home);
    } catch (error) {
      const sqlState = error instanceof DatabaseError ? error.sqlState : undefined;
      if (sqlState === notAtHome || nothingThere.includes(sqlState)) {
        const isElsewhere = await router.isElsewhere(context, home);
        if (!isElsewhere && (hasRetried || sqlState !== notAtHome)) throw error;
        hasRetried = true;
        if (isElsewhere) continue;
      } else if (sqlState !== moving) throw error;
      const delayMs = sqlState === moving ? backoffMs(attempt) : arrivalMs;
      if (Date.now() + delayMs >= giveUpAt) throw error;
      await sleep(delayMs);
    }
  }
}

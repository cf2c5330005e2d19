import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { startRedis } from '../local/redis.ts';
import { environmentKeys } from '../shared/contract/index.ts';
import { atMost, type Bench } from './bench.ts';

/** Microseconds of CPU a request, as `children/overhead.ts` reports them. */
export interface Overhead {
  readonly bare: number;
  readonly stack: number;
}

/**
 * CPU that the middleware stack takes a request: routing, tenant context, rate limit on a real Redis, validation, problem details,
 * metrics and log lines, against a bare Middy handler that parses the same body with the same schema. Neither touches a database.
 */
export const bench: Bench = async () => {
  const redis = await startRedis();
  try {
    // A process of its own, whose log lines go nowhere.
    const child = fork(join(import.meta.dirname, 'children/overhead.ts'), {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: {
        ...process.env,
        [environmentKeys.stage]: 'bench',
        [environmentKeys.cacheUrl]: redis.url,
        POWERTOOLS_SERVICE_NAME: 'bench',
        POWERTOOLS_METRICS_NAMESPACE: 'Bench',
      },
    });
    const [{ bare, stack }] = (await once(child, 'message')) as [Overhead];
    return {
      rows: [
        { case: 'bare Middy handler', value: bare, unit: 'µs CPU' },
        { case: 'with the whole stack', value: stack, unit: 'µs CPU' },
      ],
      ratios: [atMost('µs more than bare', stack - bare, 150)],
    };
  } finally {
    await redis.stop();
  }
};

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { cacheNamespace, createTenantCache, openCacheConnection } from '../../shared/cache/index.ts';
import { createRateLimiter } from '../../shared/rate-limit/index.ts';
import { inTenant } from '../helpers/cache.ts';
import { freePort } from '../helpers/ports.ts';
import { needsRedisServer } from '../helpers/redis.ts';
import { startRedisCluster } from '../helpers/redis-cluster.ts';
import { startRedisServer } from '../helpers/redis-server.ts';

const numbers = cacheNamespace('numbers', { schema: z.number(), ttlSeconds: 60 });
const request = { tenantId: 'acme', limit: { requestsPerMinute: 1, burst: 1_000 } };
const cleanups: (() => unknown)[] = [];
beforeEach(needsRedisServer);
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(cluster: boolean) {
  const redis = cluster ? await startRedisCluster() : await startRedisServer(await freePort());
  cleanups.push(() => redis.stop());
  const nodes = 'nodes' in redis ? redis.nodes : [redis];
  const home = 'nodes' in redis ? await redis.homeOf('{acme}') : redis;
  const connection = openCacheConnection(`redis://127.0.0.1:${redis.port}?cluster=${cluster}`, { timeoutMs: 10_000 });
  cleanups.push(() => connection.close());
  const flush = () => Promise.all(nodes.map(({ admin }) => admin.script('FLUSH')));
  /** How often the tenant's node did not know a script, and others. */
  const unknown = async (): Promise<[number, number]> => {
    const counts = await Promise.all(
      nodes.map(async ({ admin }) => {
        const [, count] = /errorstat_NOSCRIPT:count=(\d+)/.exec(await admin.info('errorstats')) ?? [];
        return Number(count ?? 0);
      }),
    );
    const own = counts[nodes.findIndex(({ port }) => port === home.port)] ?? Number.NaN;
    return [own, counts.reduce((sum, count) => sum + count, 0) - own];
  };
  return { connection, flush, unknown };
}

describe.each([
  ['a server', false],
  ['the tenant’s node of a cluster', true],
])('%s that has forgotten the scripts', (_, cluster) => {
  it('is told each of them again by who needs it, the cache’s and the limiter’s, and answers as before', async () => {
    const { connection, flush, unknown } = await start(cluster);
    const cache = createTenantCache(connection);
    const limiter = createRateLimiter({ connection });
    const failing = () =>
      cache
        .remember(numbers, 'failing', () => Promise.reject(new Error('no luck')))
        .catch((error: Error) => error.message);
    await inTenant('acme', async () => {
      // Each script has been there once, so that it is called by its digest from now on.
      await cache.remember(numbers, 'x', async () => 1);
      await cache.invalidate(numbers);
      await failing();
      await limiter.consume(request);
      const steps: [scripts: number, step: () => Promise<unknown>, expected: unknown][] = [
        [1, () => cache.get(numbers, 'x'), undefined],
        [1, () => cache.set(numbers, 'x', 1), undefined],
        [1, () => cache.get(numbers, 'x'), 1],
        [1, () => cache.invalidate(numbers), undefined],
        // Look and store; look and release.
        [2, () => cache.remember(numbers, 'x', async () => (await flush(), 2)), 2],
        [1, () => cache.remember(numbers, 'x', async () => 3), 2],
        [2, failing, 'no luck'],
        [
          2,
          async () => {
            const deciding = limiter.consume(request);
            const peek = cache.peek(numbers, 'x');
            return [(await deciding).source, await cache.remember(numbers, 'x', async () => 3, peek)];
          },
          ['redis', 2],
        ],
      ];
      for (const [scripts, step, expected] of steps) {
        await flush();
        const [before] = await unknown();
        expect(await step()).toEqual(expected);
        const [after, elsewhere] = await unknown();
        expect([after - before, elsewhere]).toEqual([scripts, 0]);
      }
    });
  });
});

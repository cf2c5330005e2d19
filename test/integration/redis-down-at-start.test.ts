import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { cacheNamespace, createTenantCache, openCacheConnection } from '../../shared/cache/index.ts';
import { createRateLimiter } from '../../shared/rate-limit/index.ts';
import { inTenant } from '../helpers/cache.ts';
import { freePort } from '../helpers/ports.ts';
import { needsRedisServer } from '../helpers/redis.ts';
import { startRedisServer } from '../helpers/redis-server.ts';

const numbers = cacheNamespace('numbers', { schema: z.number(), ttlSeconds: 60 });
const request = { tenantId: 'acme', limit: { requestsPerMinute: 1, burst: 1_000 } };
const cleanups: (() => unknown)[] = [];
beforeEach(needsRedisServer);
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** A connection that was opened ahead, as functions do it, while there is no server. */
async function connectTooEarly() {
  const port = await freePort();
  const connection = openCacheConnection(`redis://127.0.0.1:${port}`, { warn: () => undefined });
  cleanups.push(() => connection.close());
  connection.open();
  const startServer = async (): Promise<void> => {
    const server = await startRedisServer(port);
    cleanups.push(() => server.stop());
  };
  return { connection, startServer };
}

describe('a server that is not there yet when a function starts', () => {
  it.each([
    ['open', { allowed: true, source: 'local' }],
    ['closed', { allowed: false, source: 'none' }],
  ] as const)('is asked about limits as soon as it is, %s', async (whenUnavailable, meanwhile) => {
    const { connection, startServer } = await connectTooEarly();
    const limiter = createRateLimiter({ connection, whenUnavailable });
    for (let asked = 0; asked < 3; asked += 1) expect(await limiter.consume(request)).toMatchObject(meanwhile);
    await startServer();
    await expect
      .poll(() => limiter.consume(request), { timeout: 10_000 })
      .toMatchObject({ allowed: true, source: 'redis' });
  });

  it('keeps values as soon as it is', async () => {
    const { connection, startServer } = await connectTooEarly();
    const cache = createTenantCache(connection);
    let loads = 0;
    const load = async (): Promise<number> => (loads += 1);
    await inTenant('acme', async () => {
      for (const expected of [1, 2, 3]) expect(await cache.remember(numbers, 'x', load)).toBe(expected);
      await startServer();
      await expect
        .poll(
          async () => {
            await cache.remember(numbers, 'x', load);
            return cache.get(numbers, 'x');
          },
          { timeout: 10_000 },
        )
        .toBeDefined();
    });
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import {
  type CacheConnection,
  cacheNamespace,
  createTenantCache,
  openCacheConnection,
} from '../../shared/cache/index.ts';
import { createRateLimiter } from '../../shared/rate-limit/index.ts';
import { inTenant } from '../helpers/cache.ts';
import { type Fault, redisFaults } from '../helpers/redis-faults.ts';
import { needsRedisServer } from '../helpers/redis.ts';

const numbers = cacheNamespace('numbers', { schema: z.number(), ttlSeconds: 60 });
const concurrency = { limit: 1, leaseMs: 60_000 };
const request = { tenantId: 'acme', limit: { requestsPerMinute: 1e6, burst: 1_000 }, concurrency };
const cleanups: (() => unknown)[] = [];
beforeEach(needsRedisServer);
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function connect({ url }: Fault): CacheConnection {
  const connection = openCacheConnection(url, { warn: () => undefined });
  cleanups.push(() => connection.close());
  return connection;
}

// Of a server that is killed nothing is left that could be out of date.
const keeping = Object.entries(redisFaults).filter(([name]) => name !== 'is killed');

describe.each(keeping)('while a server %s', (_, start) => {
  it('what is made invalid, and a place that is given back, is made good when the server is well', async () => {
    const fault = await start((work) => cleanups.push(work));
    const [connection, other] = [connect(fault), connect(fault)];
    const [cache, others] = [createTenantCache(connection), createTenantCache(other)];
    const [limiter, othersLimiter] = [createRateLimiter({ connection }), createRateLimiter({ connection: other })];
    await inTenant('acme', async () => {
      while ((await others.get(numbers, 'page')) !== 1) await cache.set(numbers, 'page', 1);
      let held = await limiter.consume(request);
      while (held.source !== 'redis') held = await limiter.consume(request);
      expect(held.allowed).toBe(true);
      await fault.breakIt();
      // Finds out that it is broken.
      await cache.set(numbers, 'other', 1);
      await sleep(20);
      await cache.invalidate(numbers);
      await held.release();
      await fault.mendIt();
      // The next request of the same function.
      for (;;) {
        await cache.set(numbers, 'mended', 2);
        if ((await cache.get(numbers, 'mended')) === 2) break;
        await sleep(20);
      }
      while ((await others.get(numbers, 'mended')) !== 2) await sleep(20);
      expect(await others.get(numbers, 'page')).toBeUndefined();
      let next = await othersLimiter.consume(request);
      while (next.source !== 'redis') next = await othersLimiter.consume(request);
      expect(next.allowed).toBe(true);
    });
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { cacheNamespace, createTenantCache, openCacheConnection } from '../../shared/cache/index.ts';
import { createRateLimiter } from '../../shared/rate-limit/index.ts';
import { inTenant } from '../helpers/cache.ts';
import { freePort } from '../helpers/ports.ts';
import { redisFaults } from '../helpers/redis-faults.ts';
import { type FaultyLink, startFaultyLink } from '../helpers/redis-link.ts';
import { startRedisServer } from '../helpers/redis-server.ts';
import { needsRedisServer } from '../helpers/redis.ts';

const timeoutMs = 50;
/** What a machine that does other things may add before it notices that the time is over. */
const slackMs = 400;
const numbers = cacheNamespace('numbers', { schema: z.number(), ttlSeconds: 60 });
const cleanups: (() => unknown)[] = [];
beforeEach(needsRedisServer);
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

describe.each(Object.entries(redisFaults))('a cache whose server %s', (name, start) => {
  it('holds a request up once, however often it asks, and answers again when the server is well', async () => {
    const fault = await start((work) => cleanups.push(work));
    const warnings: string[] = [];
    const connection = openCacheConnection(fault.url, { timeoutMs, warn: (message) => warnings.push(message) });
    cleanups.push(() => connection.close());
    const cache = createTenantCache(connection);
    const limiter = createRateLimiter({ connection });
    /** What a request does that reads a page and writes something. */
    const request = async (page: number): Promise<number> => {
      const peek = cache.peek(numbers, 'page');
      await limiter.consume({ tenantId: 'acme', limit: { requestsPerMinute: 1e6, burst: 1_000 } });
      const value = await cache.remember(numbers, 'page', async () => page, peek);
      await cache.set(numbers, 'other', 1);
      await cache.get(numbers, 'other');
      await cache.delete(numbers, 'other');
      return value;
    };
    await inTenant('acme', async () => {
      while ((await request(1)) !== 1 || (await cache.get(numbers, 'page')) !== 1) await sleep(20);
      const before = warnings.length;
      await fault.breakIt();
      const took: number[] = [];
      for (let at = 0; at < 4; at += 1) {
        const sent = performance.now();
        // What is still there is read; a server that cannot be asked is done without.
        expect([1, 2]).toContain(await request(2));
        took.push(performance.now() - sent);
      }
      console.log(`${name}: ${took.map((ms) => ms.toFixed(1)).join(', ')} ms`);
      expect(Math.max(...took)).toBeLessThan(timeoutMs + slackMs);
      expect(warnings.length).toBe(Math.max(before, 1));
      await fault.mendIt();
      await untilKept(async () => {
        await cache.set(numbers, 'mended', 3);
        return (await cache.get(numbers, 'mended')) === 3;
      });
    });
  });
});

describe('a cache whose server is killed', () => {
  type Killing = (
    kill: () => Promise<void>,
    link: FaultyLink,
    remember: (load: Load) => Promise<number>,
  ) => Promise<number>;
  type Load = () => Promise<number>;
  const neverMs = 60_000;

  it.each<[string, Killing]>([
    [
      'looks',
      async (kill, link, remember) => {
        link.delay(neverMs);
        const value = remember(async () => 1);
        await sleep(50);
        await kill();
        return value;
      },
    ],
    [
      'loads',
      (kill, _, remember) =>
        remember(async () => {
          await kill();
          return 1;
        }),
    ],
    [
      'stores',
      async (kill, link, remember) => {
        const value = remember(async () => {
          link.delay(neverMs);
          setTimeout(() => void kill(), 50);
          return 1;
        });
        return value;
      },
    ],
  ])('gives what was loaded while it %s, and keeps values again when there is a server', async (_, killDuring) => {
    const port = await freePort();
    const server = await startRedisServer(port);
    cleanups.push(() => server.stop());
    const link = await startFaultyLink(port);
    cleanups.push(() => link.stop());
    // Nobody gives up before the server is gone.
    const connection = openCacheConnection(link.url, { timeoutMs: 20_000, warn: () => undefined });
    cleanups.push(() => connection.close());
    const cache = createTenantCache(connection);
    await inTenant('acme', async () => {
      await cache.get(numbers, 'x');
      let killedAt = Infinity;
      const kill = (): Promise<void> => {
        killedAt = performance.now();
        return server.kill();
      };
      expect(await killDuring(kill, link, (load) => cache.remember(numbers, 'x', load))).toBe(1);
      expect(performance.now() - killedAt).toBeLessThan(10_000);
      expect(performance.now() - killedAt).toBeGreaterThan(0);
      link.delay(0);
      const next = await startRedisServer(port);
      cleanups.push(() => next.stop());
      await untilKept(async () => {
        await cache.remember(numbers, 'x', async () => 2);
        return (await cache.get(numbers, 'x')) === 2;
      });
    });
  });
});

describe('a cache whose server is out of memory', () => {
  it('gives nothing that was made invalid since', async () => {
    const fault = await redisFaults['is out of memory']?.((work) => cleanups.push(work));
    const connection = openCacheConnection(fault?.url ?? '', { timeoutMs: 2_000 });
    cleanups.push(() => connection.close());
    const cache = createTenantCache(connection);
    await inTenant('acme', async () => {
      expect(await cache.remember(numbers, 'page', async () => 1)).toBe(1);
      await fault?.breakIt();
      expect(await cache.get(numbers, 'page')).toBe(1);
      await cache.invalidate(numbers);
      expect(await cache.get(numbers, 'page')).toBeUndefined();
      await fault?.mendIt();
      expect(await cache.get(numbers, 'page')).toBeUndefined();
      expect(await cache.remember(numbers, 'page', async () => 2)).toBe(2);
    });
  });
});

async function untilKept(isKept: () => Promise<boolean>): Promise<void> {
  while (!(await isKept())) await sleep(20);
}

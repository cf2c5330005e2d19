import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { cacheNamespace, openCacheConnection, createTenantCache } from '../../shared/cache/index.ts';
import { cacheServers, inTenant, startTestCache, type TestCache } from '../helpers/cache.ts';
import { freePort } from '../helpers/ports.ts';

const numbers = cacheNamespace('numbers', { schema: z.number(), ttlSeconds: 60 });
const brief = cacheNamespace('brief', { schema: z.number(), ttlSeconds: 0.2, staleSeconds: 30 });

/** Gives 1, 2, 3 …, each after a while. */
function counter(ms = 30) {
  let loads = 0;
  const load = async (): Promise<number> => {
    const value = (loads += 1);
    await sleep(ms);
    return value;
  };
  return { load, loads: () => loads };
}

/** One, and one more for each second that a busy machine takes over it. */
function loadsSince(): () => number {
  const startedAt = performance.now();
  return () => 1 + Math.floor((performance.now() - startedAt) / 1_000);
}

describe.each(cacheServers)('remember on $name', (server) => {
  let test: TestCache;
  let other: TestCache['cache'];
  beforeAll(async () => {
    test = await startTestCache(server);
    other = test.another();
  });
  afterAll(() => test[Symbol.asyncDispose]());

  it('lets one of 100 callers over four connections load, and gives its value to all', async () => {
    const caches = Array.from({ length: 4 }, () => test.another());
    const { load, loads } = counter(100);
    const most = loadsSince();
    const values = await inTenant(test.freshTenant(), () =>
      Promise.all(
        Array.from({ length: 100 }, (_, index) => (caches[index % 4] ?? test.cache).remember(numbers, 'x', load)),
      ),
    );
    expect(loads()).toBeLessThanOrEqual(most());
    expect(new Set(values)).toEqual(new Set(Array.from({ length: loads() }, (_, at) => at + 1)));
  });

  it('lets one of four processes load', async () => {
    const tenantId = test.freshTenant();
    const children = Array.from({ length: 4 }, () =>
      fork('test/helpers/children/remembering.ts', [test.redis.url, tenantId]),
    );
    await Promise.all(children.map((child) => once(child, 'message')));
    const most = loadsSince();
    const values = await Promise.all(
      children.map(async (child) => {
        child.send('go');
        return (await once(child, 'message'))[0] as number[];
      }),
    );
    expect(values.flat()).toHaveLength(40);
    expect(Math.max(...values.flat())).toBeLessThanOrEqual(most());
  });

  it('loads for each tenant by itself', async () => {
    const tenants = [test.freshTenant(), test.freshTenant()];
    const { load } = counter();
    const values = await Promise.all(
      tenants.map((tenantId) => inTenant(tenantId, () => test.cache.remember(numbers, 'x', load))),
    );
    expect(values.toSorted()).toEqual([1, 2]);
  });

  it('gives the value before to all but the one who loads the next', async () => {
    await inTenant(test.freshTenant(), async () => {
      expect(await test.cache.remember(brief, 'x', async () => 1)).toBe(1);
      await sleep(250);
      let loading: (() => void) | undefined;
      const released = new Promise<void>((resolve) => (loading = resolve));
      const next = test.cache.remember(brief, 'x', async () => {
        await released;
        return 2;
      });
      await sleep(50);
      const others = await Promise.all(
        Array.from({ length: 20 }, () => test.cache.remember(brief, 'x', async () => 3)),
      );
      expect(new Set(others)).toEqual(new Set([1]));
      expect(await test.cache.get(brief, 'x')).toBeUndefined();
      loading?.();
      expect(await next).toBe(2);
      expect(await test.cache.get(brief, 'x')).toBe(2);
    });
  });

  it('stores nothing when loading fails, and lets the next one try', async () => {
    await inTenant(test.freshTenant(), async () => {
      const failing = test.cache.remember(numbers, 'x', async () => {
        await sleep(50);
        throw new Error('no luck');
      });
      const patient = sleep(10).then(() => test.cache.remember(numbers, 'x', async () => 2));
      await expect(failing).rejects.toThrow('no luck');
      expect(await patient).toBe(2);
      expect(await test.cache.get(numbers, 'x')).toBe(2);
    });
  });

  it('has one of those who wait load, after a second, what somebody has begun to who never comes back', async () => {
    await inTenant(test.freshTenant(), async () => {
      void test.cache.remember(numbers, 'x', () => new Promise<number>(() => undefined));
      await sleep(50);
      const { load, loads } = counter();
      const startedAt = performance.now();
      const most = loadsSince();
      const caches = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? test.cache : other));
      await Promise.all(caches.map((cache) => cache.remember(numbers, 'x', load)));
      expect(loads()).toBeLessThanOrEqual(most());
      expect(performance.now() - startedAt).toBeGreaterThan(500);
      expect(performance.now() - startedAt).toBeLessThan(4_500);
      expect(await test.cache.get(numbers, 'x')).toBeDefined();
    });
  });

  it('has no more than one a second load what takes long, and keeps what the first of them has got', async () => {
    await inTenant(test.freshTenant(), async () => {
      const { load, loads } = counter(2_500);
      const caches = Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? test.cache : other));
      const most = loadsSince();
      await Promise.all(caches.map((cache) => cache.remember(numbers, 'x', load)));
      expect(loads()).toBeLessThanOrEqual(most());
      expect(loads()).toBeLessThan(10);
      expect(await test.cache.get(numbers, 'x')).toBe(1);
    });
  });

  it.each<[string, (cache: TestCache['cache']) => Promise<void>, number | undefined]>([
    ['the tenant is invalidated', (cache) => cache.invalidateTenant(), undefined],
    ['the namespace is invalidated', (cache) => cache.invalidate(numbers), undefined],
    ['the value is deleted', (cache) => cache.delete(numbers, 'x'), undefined],
    ['another value is set', (cache) => cache.set(numbers, 'x', 7), 7],
  ])('does not store what was loaded while %s', async (_, change, expected) => {
    await inTenant(test.freshTenant(), async () => {
      const loaded = test.cache.remember(numbers, 'x', async () => {
        await sleep(100);
        return 1;
      });
      await sleep(50);
      await change(test.another());
      expect(await loaded).toBe(1);
      expect(await test.cache.get(numbers, 'x')).toBe(expected);
    });
  });

  it('waits for nobody who loads what is out of date by now', async () => {
    await inTenant(test.freshTenant(), async () => {
      let finish: (() => void) | undefined;
      const before = test.cache.remember(numbers, 'x', async () => {
        await new Promise<void>((resolve) => (finish = resolve));
        return 1;
      });
      await expect.poll(() => finish).toBeDefined();
      await test.cache.invalidate(numbers);
      const startedAt = performance.now();
      expect(await test.another().remember(numbers, 'x', async () => 2)).toBe(2);
      expect(performance.now() - startedAt).toBeLessThan(900);
      finish?.();
      expect(await before).toBe(1);
      expect(await test.cache.get(numbers, 'x')).toBe(2);
    });
  });

  it('has nobody wait for a value that does not fit its schema once JSON has been made of it, and says so once', async () => {
    const warnings = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const dates = cacheNamespace(`dates-${server.kind}${server.cluster ? '-cluster' : ''}`, {
      schema: z.date(),
      ttlSeconds: 60,
    });
    await inTenant(test.freshTenant(), async () => {
      const load = async (): Promise<Date> => {
        await sleep(50);
        return new Date(0);
      };
      const startedAt = performance.now();
      const values = await Promise.all(Array.from({ length: 30 }, () => test.cache.remember(dates, 'x', load)));
      expect(new Set(values.map(Number))).toEqual(new Set([0]));
      expect(performance.now() - startedAt).toBeLessThan(900);
    });
    expect(warnings.mock.calls).toEqual([[expect.stringContaining(`"${dates.name}" does not fit its schema`)]]);
    warnings.mockRestore();
  });

  it('goes on from a look that was begun ahead', async () => {
    await inTenant(test.freshTenant(), async () => {
      const { load, loads } = counter(1);
      for (let i = 0; i < 3; i += 1) {
        const peek = test.cache.peek(numbers, 'x');
        expect(await test.cache.remember(numbers, 'x', load, peek)).toBe(1);
      }
      expect(loads()).toBe(1);
    });
  });

  it('never gives what is older than the last invalidation, to 100 who read and write at once', async () => {
    const caches = Array.from({ length: 4 }, () => test.another());
    const cacheOf = (index: number) => caches[index % caches.length] ?? test.cache;
    // What is in the database, and the least that whoever asks from now on must see.
    let stored = 1;
    let invalidated = 1;
    const stale: string[] = [];
    let [reads, loads] = [0, 0];
    const beganAt = Date.now();
    /** Two seconds, and on a slow machine as many as it takes. */
    const goesOn = (): boolean => {
      const passedMs = Date.now() - beganAt;
      return passedMs < 2_000 || ((reads - loads <= 100 || stored <= 50) && passedMs < 20_000);
    };
    const reader = async (_: unknown, index: number): Promise<void> => {
      while (goesOn()) {
        const least = invalidated;
        const value = await cacheOf(index).remember(numbers, 'x', async () => {
          loads += 1;
          const read = stored;
          await sleep(Math.random() * 5);
          return read;
        });
        if (value < least) stale.push(`${value} < ${least}`);
        reads += 1;
      }
    };
    const writer = async (_: unknown, index: number): Promise<void> => {
      while (goesOn()) {
        await sleep(Math.random() * 200);
        // On a slow machine there would be nothing to read between two of so many writers.
        if (reads - loads < 2 * stored) continue;
        const written = (stored += 1);
        await (index % 2 === 0 ? cacheOf(index).invalidate(numbers) : cacheOf(index).invalidateTenant());
        invalidated = Math.max(invalidated, written);
      }
    };
    await inTenant(test.freshTenant(), () =>
      Promise.all([...Array.from({ length: 80 }, reader), ...Array.from({ length: 20 }, writer)]),
    );
    expect(stale).toEqual([]);
    expect(reads - loads).toBeGreaterThan(100);
    expect(stored).toBeGreaterThan(50);
  });
});

describe('remember without a server', () => {
  it.each(['', '?cluster=true'])('loads, each time, and waits for nothing (%s)', async (mode) => {
    const connection = openCacheConnection(`redis://127.0.0.1:${await freePort()}${mode}`, { warn: () => undefined });
    const cache = createTenantCache(connection);
    const { load } = counter(1);
    const startedAt = performance.now();
    await inTenant('acme', async () => {
      expect(await cache.remember(numbers, 'x', load)).toBe(1);
      expect(await cache.remember(numbers, 'x', load)).toBe(2);
      await cache.set(numbers, 'x', 1);
      await cache.invalidate(numbers);
      await cache.delete(numbers, 'x');
      expect(await cache.get(numbers, 'x')).toBeUndefined();
    });
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    connection.close();
  });
});

import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { cacheNamespace, countTenantKeys, invalidateTenantCache, keysConnection } from '../../shared/cache/index.ts';
import { currentRequestRecord, runWithRequestRecord } from '../../shared/metrics/index.ts';
import { cacheServers, inTenant, startTestCache, type TestCache } from '../helpers/cache.ts';

const numbers = cacheNamespace('numbers', { schema: z.number(), ttlSeconds: 60 });
const texts = cacheNamespace('texts', { schema: z.string(), ttlSeconds: 60 });

describe.each(cacheServers)('the cache on $name', (server) => {
  let test: TestCache;
  beforeAll(async () => void (test = await startTestCache(server)));
  afterAll(() => test[Symbol.asyncDispose]());

  it('gives back what was set, and nothing else', async () => {
    await inTenant(test.freshTenant(), async () => {
      expect(await test.cache.get(numbers, 'one')).toBeUndefined();
      await test.cache.set(numbers, 'one', 1);
      await test.cache.set(numbers, 'two', 2);
      await test.cache.set(texts, 'one', 'ein\n|"§"|\u0000{}');
      expect(await test.cache.get(numbers, 'one')).toBe(1);
      expect(await test.cache.get(texts, 'one')).toBe('ein\n|"§"|\u0000{}');
      await test.cache.delete(numbers, 'one');
      expect(await test.cache.get(numbers, 'one')).toBeUndefined();
      expect(await test.cache.get(numbers, 'two')).toBe(2);
    });
  });

  it('takes any text for a key', async () => {
    const keys = [
      '',
      ' ',
      ':',
      'a:b',
      '{other}',
      '}:cache:numbers:x',
      '*',
      '\n',
      'ü',
      '\u{fffd}',
      // Halves of characters, which have no bytes of their own.
      '\ud83d',
      '\ud83e',
      `${'x'.repeat(200)}\ud83d`,
      `${'x'.repeat(200)}\ud83e`,
      'x'.repeat(199),
      'x'.repeat(5_000),
      `sha256:${createHash('sha256').update('x'.repeat(5_000)).digest('base64url')}`,
    ];
    await inTenant(test.freshTenant(), async () => {
      for (const [value, key] of keys.entries()) await test.cache.set(numbers, key, value);
      for (const [value, key] of keys.entries()) expect(await test.cache.get(numbers, key), key).toBe(value);
    });
  });

  it('keeps tenants apart that use the same namespace and key', async () => {
    const [one, other] = [test.freshTenant(), test.freshTenant()];
    await inTenant(one, () => test.cache.set(numbers, 'shared', 1));
    expect(await inTenant(other, () => test.cache.get(numbers, 'shared'))).toBeUndefined();
    await inTenant(other, () => test.cache.set(numbers, 'shared', 2));
    expect(await inTenant(one, () => test.cache.get(numbers, 'shared'))).toBe(1);
    await inTenant(one, () => test.cache.invalidateTenant());
    expect(await inTenant(one, () => test.cache.get(numbers, 'shared'))).toBeUndefined();
    expect(await inTenant(other, () => test.cache.get(numbers, 'shared'))).toBe(2);
    await invalidateTenantCache(test.connection, other);
    expect(await inTenant(other, () => test.cache.get(numbers, 'shared'))).toBeUndefined();
  });

  it('serves nobody outside of a request of a tenant', async () => {
    await expect(async () => test.cache.get(numbers, 'x')).rejects.toThrow('No tenant context set');
    await expect(async () => test.cache.remember(numbers, 'x', async () => 1)).rejects.toThrow('No tenant context set');
    await expect(async () => test.cache.invalidateTenant()).rejects.toThrow('No tenant context set');
  });

  it('invalidates a namespace and leaves the others', async () => {
    await inTenant(test.freshTenant(), async () => {
      await test.cache.set(numbers, 'x', 1);
      await test.cache.set(texts, 'x', 'one');
      await test.cache.invalidate(numbers);
      expect(await test.cache.get(numbers, 'x')).toBeUndefined();
      expect(await test.cache.get(texts, 'x')).toBe('one');
      await test.cache.set(numbers, 'x', 2);
      expect(await test.cache.get(numbers, 'x')).toBe(2);
    });
  });

  it('does not come back to old values when the server has lost the generations', async () => {
    const tenantId = test.freshTenant();
    await inTenant(tenantId, async () => {
      await test.cache.set(numbers, 'x', 1);
      await test.connection.run((client) => client.del(`t:{${tenantId}}:generations`));
      expect(await test.cache.get(numbers, 'x')).toBeUndefined();
      await test.cache.set(numbers, 'y', 2);
      expect(await test.cache.get(numbers, 'x')).toBeUndefined();
      expect(await test.cache.get(numbers, 'y')).toBe(2);
    });
  });

  it('takes a value of another shape for none, and loads one for all who ask', async () => {
    const before = cacheNamespace('shapes', { schema: z.object({ name: z.string() }), ttlSeconds: 60 });
    const after = cacheNamespace('shapes', { schema: z.object({ title: z.string() }), ttlSeconds: 60 });
    let loads = 0;
    const load = async () => {
      loads += 1;
      await sleep(50);
      return { title: 'new' };
    };
    await inTenant(test.freshTenant(), async () => {
      await test.cache.set(before, 'x', { name: 'old' });
      expect(await test.cache.get(after, 'x')).toBeUndefined();
      const startedAt = performance.now();
      const values = await Promise.all(Array.from({ length: 20 }, () => test.cache.remember(after, 'x', load)));
      expect(new Set(values.map(({ title }) => title))).toEqual(new Set(['new']));
      // One, and one more for each second that a busy machine takes over it.
      expect(loads).toBeLessThanOrEqual(1 + Math.floor((performance.now() - startedAt) / 1_000));
      expect(await test.cache.get(after, 'x')).toEqual({ title: 'new' });
    });
  });

  it('compresses what is long, and leaves out what is too large, for which nobody waits', async () => {
    const noise = Array.from({ length: 12_000 }, () => crypto.randomUUID()).join('');
    const tenantId = test.freshTenant();
    const uses = await runWithRequestRecord('r-1', () =>
      inTenant(tenantId, async () => {
        await test.cache.set(texts, 'long', 'tenantry '.repeat(100_000));
        expect(await test.cache.get(texts, 'long')).toBe('tenantry '.repeat(100_000));
        const startedAt = performance.now();
        for (let i = 0; i < 3; i += 1) expect(await test.cache.remember(texts, 'large', async () => noise)).toBe(noise);
        expect(performance.now() - startedAt).toBeLessThan(1_000);
        expect(await test.cache.get(texts, 'large')).toBeUndefined();
        return currentRequestRecord()?.cacheUses;
      }),
    );
    const stored = await test.connection.run((client) => client.strlen(`t:{${tenantId}}:cache:texts:long`));
    expect(stored).toBeLessThan(10_000);
    expect(uses?.get('oversized')).toBe(1);
    expect(uses?.get('miss')).toBe(4);
    expect(uses?.get('hit')).toBe(1);
  });

  it.each([{ of: 1n }, undefined])('hands out what JSON has no text for, and leaves it out: %o', async (value) => {
    const anything = cacheNamespace('anything', { schema: z.unknown(), ttlSeconds: 60 });
    await inTenant(test.freshTenant(), async () => {
      expect(await test.cache.remember(anything, 'x', async () => value)).toBe(value);
      await test.cache.set(anything, 'y', value);
      expect(await test.cache.get(anything, 'y')).toBeUndefined();
    });
  });

  it('takes times that are no whole milliseconds', async () => {
    const brief = cacheNamespace('brief', { schema: z.number(), ttlSeconds: 60, staleSeconds: 1 / 3 });
    await inTenant(test.freshTenant(), async () => {
      await test.cache.set(brief, 'x', 1);
      expect(await test.cache.get(brief, 'x')).toBe(1);
    });
  });

  it('keeps nothing longer than it is good for, a tenth less at most', async () => {
    const tenantId = test.freshTenant();
    const keys = Array.from({ length: 50 }, (_, index) => `k${index}`);
    await inTenant(tenantId, () => Promise.all(keys.map((key) => test.cache.set(numbers, key, 1))));
    const left = await Promise.all(
      keys.map((key) => test.connection.run((client) => client.pttl(`t:{${tenantId}}:cache:numbers:${key}`))),
    );
    expect(Math.max(...left)).toBeLessThanOrEqual(60_000);
    expect(Math.min(...left)).toBeGreaterThan(50_000);
    expect(Math.max(...left) - Math.min(...left)).toBeGreaterThan(1_000);
    expect(await test.connection.run((client) => client.pttl(`t:{${tenantId}}:generations`))).toBeGreaterThan(
      86_400_000,
    );
  });

  it('keeps what tells old from new for longer than any value, and ends it some time', async () => {
    const tenantId = test.freshTenant();
    const generations = `t:{${tenantId}}:generations`;
    await inTenant(tenantId, () => test.cache.invalidate(numbers));
    const left = await test.connection.run((client) => client.pttl(generations));
    expect(left).toBeGreaterThan(86_400_000);
    // As a clock leaves it that was ahead.
    const ahead = String((Date.now() + 3_600_000) * 1_000);
    await test.connection.run((client) => client.hset(generations, 'tenant', ahead));
    await inTenant(tenantId, async () => {
      await test.cache.set(numbers, 'x', 1);
      expect(await test.cache.get(numbers, 'x')).toBe(1);
      await test.cache.invalidateTenant();
      expect(await test.cache.get(numbers, 'x')).toBeUndefined();
    });
    const next = await test.connection.run((client) => client.hget(generations, 'tenant'));
    expect(BigInt(next ?? 0)).toBe(BigInt(ahead) + 1n);
  });

  it('leaves no key behind that a purge of the tenant does not find', async () => {
    const tenantId = test.freshTenant();
    await inTenant(tenantId, async () => {
      await test.cache.remember(numbers, 'x', async () => 1);
      await test.cache.set(texts, 'y', 'z');
      await test.cache.invalidate(texts);
    });
    const keys = keysConnection(test.redis.url);
    expect(await countTenantKeys(keys, tenantId, Date.now() + 10_000)).toEqual({ keys: 3, done: true });
    keys.close();
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import {
  cacheNamespace,
  createTenantCache,
  invalidateTenantCache,
  openCacheConnection,
} from '../../shared/cache/index.ts';
import { inTenant } from '../helpers/cache.ts';
import { needsRedisServer } from '../helpers/redis.ts';
import { startRedisCluster } from '../helpers/redis-cluster.ts';

const numbers = cacheNamespace('numbers', { schema: z.number(), ttlSeconds: 60 });
const timeoutMs = 50;
/** What a machine that does other things may add before it notices that the time is over. */
const slackMs = 400;
const cleanups: (() => unknown)[] = [];
beforeEach(needsRedisServer);
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(options: { readonly replica?: boolean; readonly timeoutMs?: number } = {}) {
  const redis = await startRedisCluster(options);
  cleanups.push(() => redis.stop());
  const connection = openCacheConnection(redis.url, { timeoutMs, warn: () => undefined, ...options });
  cleanups.push(() => connection.close());
  return { redis, connection, cache: createTenantCache(connection) };
}

describe('the cache in a cluster', () => {
  it('follows a tenant’s slot from node to node, and invalidates there what was stored elsewhere', async () => {
    const { redis, connection, cache } = await start({ timeoutMs: 10_000 });
    await inTenant('acme', async () => {
      await cache.set(numbers, 'before', 1);
      const move = await redis.beginMove('t:{acme}:generations');
      await move.finish();
      expect(await cache.get(numbers, 'before')).toBe(1);
      await invalidateTenantCache(connection, 'acme');
      expect(await cache.get(numbers, 'before')).toBeUndefined();
      expect(await cache.remember(numbers, 'after', async () => 2)).toBe(2);
      expect(await cache.get(numbers, 'after')).toBe(2);
    });
  });

  it('is open at every node before anybody asks, if it is opened ahead', async () => {
    const { connection } = await start({ timeoutMs: 10_000 });
    const { client } = connection;
    connection.open();
    const statuses = () => (client instanceof Cluster ? client.nodes('master') : []).map(({ status }) => status);
    await expect.poll(statuses, { timeout: 10_000 }).toEqual(['ready', 'ready', 'ready']);
  });

  it('loads while keys of one entry are in two places, and stores nothing where nobody would look', async () => {
    const { redis, cache } = await start();
    await inTenant('acme', async () => {
      while ((await cache.get(numbers, 'x')) !== 1) await cache.set(numbers, 'x', 1);
      const move = await redis.beginMove('t:{acme}:generations');
      const sent = performance.now();
      expect([1, 2]).toContain(await cache.remember(numbers, 'x', async () => 2));
      expect(await cache.remember(numbers, 'new', async () => 3)).toBe(3);
      expect(performance.now() - sent).toBeLessThan(timeoutMs + slackMs);
      await move.finish();
      await expect.poll(() => cache.remember(numbers, 'x', async () => 4), { timeout: 10_000 }).toBe(1);
    });
  });

  it('goes on while a node fails over, and is served by its replica then', async () => {
    const { redis, cache } = await start({ replica: true });
    let number = 0;
    while ((await redis.homeOf(`t:{tenant-${number}}:generations`)) !== redis.nodes[0]) number += 1;
    await inTenant(`tenant-${number}`, async () => {
      while ((await cache.get(numbers, 'x')) !== 1) await cache.set(numbers, 'x', 1);
      const over = redis.failOver();
      const took: number[] = [];
      for (let at = 0; at < 50; at += 1) {
        const sent = performance.now();
        expect([1, 2]).toContain(await cache.remember(numbers, 'x', async () => 2));
        took.push(performance.now() - sent);
        await sleep(5);
      }
      await over;
      console.log(`failover: ${took.length} reads, the slowest in ${Math.max(...took).toFixed(1)} ms`);
      expect(Math.max(...took)).toBeLessThan(timeoutMs + slackMs);
      await expect
        .poll(async () => {
          await cache.set(numbers, 'after', 5);
          return cache.get(numbers, 'after');
        })
        .toBe(5);
    });
  });
});

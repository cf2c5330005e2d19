import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from 'ioredis';
import * as z from 'zod';
import { cacheNamespace, createTenantCache, openCacheConnection } from '../../shared/cache/index.ts';
import { createRateLimiter } from '../../shared/rate-limit/index.ts';
import { inTenant } from '../helpers/cache.ts';
import type { ClusterNode, RedisCluster } from '../helpers/redis-cluster.ts';
import { startLinkedCluster } from '../helpers/redis-cluster-link.ts';
import { needsRedisServer } from '../helpers/redis.ts';

const numbers = cacheNamespace('numbers', { schema: z.number(), ttlSeconds: 60 });
const generations = 't:{acme}:generations';
/** So long everybody waits here: more than a busy machine takes to find its way about the cluster. */
const timeoutMs = 500;
const lateMs = 900;
const cleanups: (() => unknown)[] = [];
beforeEach(needsRedisServer);
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** A cluster whose node of the tenant `acme` takes its time over the login, and a connection that has been to others only. */
async function start() {
  const cluster = await startLinkedCluster(generations);
  cleanups.push(() => cluster.stop());
  const { redis, link, home } = cluster;
  for (const { admin } of redis.nodes) await admin.call('ACL', 'SETUSER', 'app', 'on', '>secret', '~*', '+@all');
  const url = cluster.url.replace('//', '//app:secret@');
  const connection = openCacheConnection(url, { timeoutMs, warn: () => undefined });
  cleanups.push(() => connection.close());
  const elsewhere = await keyOfAnother(redis, home);
  await expect.poll(() => connection.run((client) => client.get(elsewhere)).catch(String)).toBeNull();
  link.delay(lateMs);
  const { client } = connection;
  /** Whether the node has let the connection in, and done all that came with it. */
  const untilIn = async (): Promise<void> => {
    link.delay(0);
    const statuses = () => (client instanceof Cluster ? client.nodes() : []).map(({ status }) => status);
    await expect.poll(statuses, { timeout: 10_000 }).not.toContain('connect');
    await sleep(timeoutMs);
    await expect
      .poll(() => connection.run(() => client.exists('t:{acme}:x')).catch(String), { timeout: 5_000 })
      .toBe(0);
  };
  return { connection, home, untilIn };
}

async function keyOfAnother(redis: RedisCluster, home: ClusterNode): Promise<string> {
  for (let at = 0; ; at += 1) if ((await redis.homeOf(`{${at}}`)) !== home) return `{${at}}`;
}

describe('a node of a cluster that lets nobody in for longer than anybody waits', () => {
  it('is not asked afterwards for what was not begun in time', async () => {
    const { connection, home, untilIn } = await start();
    const limiter = createRateLimiter({ connection });
    const limit = { requestsPerMinute: 1, burst: 10 };
    const concurrency = { limit: 3, leaseMs: 60_000 };
    const decision = await limiter.consume({ tenantId: 'acme', limit, concurrency });
    expect(decision.source).toBe('local');
    await untilIn();
    expect(await home.admin.exists('t:{acme}:limit:all', 't:{acme}:leases')).toBe(0);
    expect((await limiter.consume({ tenantId: 'acme', limit, concurrency })).source).toBe('redis');
  });

  it('hears afterwards all the same that something was made invalid', async () => {
    const { connection, home, untilIn } = await start();
    const cache = createTenantCache(connection);
    await inTenant('acme', async () => {
      expect(await cache.get(numbers, 'x')).toBeUndefined();
      await cache.invalidate(numbers);
      await untilIn();
      expect(await home.admin.hexists(generations, 'numbers')).toBe(1);
    });
  });
});

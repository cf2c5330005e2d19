import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCacheConnection } from '../../shared/cache/index.ts';
import { createRateLimiter, type RateLimitDecision, type RateLimiter } from '../../shared/rate-limit/index.ts';
import { needsRedisServer } from '../helpers/redis.ts';
import { type RedisCluster, startRedisCluster } from '../helpers/redis-cluster.ts';

/** Refills so slowly that nothing flows back during a test. */
const limit = { requestsPerMinute: 0.1, burst: 1_000 };
const timeoutMs = 50;
/** What a machine that does other things may add before it notices that the time is over. */
const slackMs = 400;
const cleanups: (() => unknown)[] = [];
beforeEach(needsRedisServer);
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(
  options: { readonly replica?: boolean; readonly timeoutMs?: number } = {},
): Promise<{ redis: RedisCluster; limiter: RateLimiter }> {
  const redis = await startRedisCluster(options);
  cleanups.push(() => redis.stop());
  const connection = openCacheConnection(redis.url, { timeoutMs, warn: () => undefined, ...options });
  cleanups.push(() => connection.close());
  return { redis, limiter: createRateLimiter({ connection }) };
}

async function untilDecided(limiter: RateLimiter, tenantId: string): Promise<RateLimitDecision> {
  for (;;) {
    const decision = await limiter.consume({ tenantId, limit });
    if (decision.source === 'redis') return decision;
    await sleep(20);
  }
}

describe('the rate limiter in a cluster', () => {
  it('follows a tenant’s slot from node to node, and its bucket with it', async () => {
    const { redis, limiter } = await start({ timeoutMs: 10_000 });
    const [old, fresh] = ['t:{acme}:limit:all', 't:{acme}:limit:new'];
    await untilDecided(limiter, 'acme');
    const from = await redis.homeOf(old);
    const ask = (scope = 'all') => limiter.consume({ tenantId: 'acme', limit, scope });
    const move = await redis.beginMove(old);
    await expect(from.admin.get(fresh)).rejects.toThrow(/^ASK /);
    expect(await ask()).toMatchObject({ source: 'redis', remaining: 998 });
    expect(await ask('new')).toMatchObject({ source: 'redis', remaining: 999 });
    await move.finish();
    await expect(from.admin.get(old)).rejects.toThrow(/^MOVED /);
    expect(await ask()).toMatchObject({ source: 'redis', remaining: 997 });
    expect(await ask('new')).toMatchObject({ source: 'redis', remaining: 998 });
  });

  it('answers within what a request waits also from the node that a slot is being moved to, and was moved to', async () => {
    const { redis, limiter } = await start();
    const [old, fresh] = ['all', 'new'];
    await untilDecided(limiter, 'acme');
    const from = await redis.homeOf('t:{acme}:limit:all');
    const answered = async (error: string): Promise<number> => {
      const [, count] = new RegExp(`errorstat_${error}:count=(\\d+)`).exec(await from.admin.info('errorstats')) ?? [];
      return Number(count ?? 0);
    };
    // A machine that does other things may keep a single request waiting.
    const ask = (scope: string) =>
      expect
        .poll(async () => (await limiter.consume({ tenantId: 'acme', limit, scope })).source, { timeout: 10_000 })
        .toBe('redis');
    const move = await redis.beginMove('t:{acme}:limit:all');
    expect(await answered('ASK')).toBe(0);
    await ask(old);
    expect(await answered('ASK')).toBe(0);
    await ask(fresh);
    expect(await answered('ASK')).toBeGreaterThan(0);
    await move.finish();
    expect(await answered('MOVED')).toBe(0);
    await ask(old);
    expect(await answered('MOVED')).toBeGreaterThan(0);
    const { remaining } = await untilDecided(limiter, 'acme');
    expect(remaining).toBeLessThan(limit.burst - 3);
  });

  it('goes on while keys of one request are in two places, and is exact again afterwards', async () => {
    const { redis, limiter } = await start();
    await untilDecided(limiter, 'acme');
    const both = { tenantId: 'acme', limit, also: [{ scope: 'new', limit }] };
    const move = await redis.beginMove('t:{acme}:limit:all');
    const sent = performance.now();
    const during = await limiter.consume(both);
    const ms = performance.now() - sent;
    console.log(`keys in two places: ${ms.toFixed(1)} ms, decided by ${during.source}`);
    expect(during).toMatchObject({ allowed: true, source: 'local' });
    expect(ms).toBeLessThan(timeoutMs + slackMs);
    await move.finish();
    await untilDecided(limiter, 'acme');
    await expect.poll(async () => (await limiter.consume(both)).source, { timeout: 10_000 }).toBe('redis');
  });

  it('goes on while a node fails over, and is served by its replica then', async () => {
    const { redis, limiter } = await start({ replica: true });
    const [first] = redis.nodes;
    let number = 0;
    while ((await redis.homeOf(`t:{tenant-${number}}:limit:all`)) !== first) number += 1;
    const tenantId = `tenant-${number}`;
    await untilDecided(limiter, tenantId);
    const over = redis.failOver();
    const took: number[] = [];
    for (let i = 0; i < 100; i += 1) {
      const sent = performance.now();
      const { source, allowed } = await limiter.consume({ tenantId, limit });
      took.push(performance.now() - sent);
      expect(['redis', 'local']).toContain(source);
      expect(allowed).toBe(true);
      await sleep(5);
    }
    await over;
    console.log(`failover: ${took.length} decisions, the slowest in ${Math.max(...took).toFixed(1)} ms`);
    expect(Math.max(...took)).toBeLessThan(timeoutMs + slackMs);
    expect((await untilDecided(limiter, tenantId)).remaining).toBeLessThan(1_000);
  });
});

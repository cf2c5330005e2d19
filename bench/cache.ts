import { Redis } from 'ioredis';
import * as z from 'zod';
import { startRedis } from '../local/redis.ts';
import {
  type CacheConnection,
  cacheNamespace,
  createTenantCache,
  invalidateTenantCache,
  openCacheConnection,
  type TenantCache,
} from '../shared/cache/index.ts';
import { createRateLimiter, limitsFor } from '../shared/rate-limit/index.ts';
import { runWithTenant } from '../shared/tenancy/index.ts';
import { atMost, type Bench, median, takeTurns } from './bench.ts';
import { duringFaults } from './redis-faults.ts';
import { startLink } from './redis-link.ts';

const [allKeys, keysOfTenant, batch] = [1_000_000, 100_000, 5_000];
const latencyMs = 1;
const pages = cacheNamespace('pages', { schema: z.array(z.string()), ttlSeconds: 600 });
const timeoutMs = 60_000;

/**
 * Making all of a tenant's entries invalid, 100,000 among 1,000,000, against finding them with SCAN and deleting them; and what a page load waits
 * for in Redis, limit and cache asked together, against one after the other, and while Redis is away or at a loss.
 */
export const bench: Bench = async (progress) => {
  const redis = await startRedis();
  const connection = openCacheConnection(redis.url, { timeoutMs });
  try {
    const purge = await purging(connection, redis.url, progress);
    progress(`loading pages, ${latencyMs} ms away`);
    const load = await loading(redis.url);
    const faults = await duringFaults(progress);
    return {
      rows: [
        { case: `purging ${keysOfTenant} keys of ${allKeys}`, value: purge.ours, unit: 'ms' },
        { case: 'the same with SCAN and UNLINK', value: purge.scan, unit: 'ms' },
        { case: 'page load: limit and cache together', value: load.together, unit: 'ms' },
        { case: 'page load: one after the other', value: load.inTurn, unit: 'ms' },
        { case: 'round trips of a page load', value: load.roundTrips, unit: 'round trips' },
        ...faults.rows,
      ],
      ratios: [
        atMost('purging / SCAN and UNLINK', purge.ours / purge.scan, 0.001),
        atMost('round trips of a page load', load.roundTrips, 1),
        atMost('limit and cache together / in turn', load.together / load.inTurn, 1),
        ...faults.ratios,
      ],
    };
  } finally {
    connection.close();
    await redis.stop();
  }
};

async function purging(connection: CacheConnection, url: string, progress: (message: string) => void) {
  const client = new Redis(url);
  progress(`filling ${allKeys} keys`);
  for (let key = 0; key < allKeys; key += batch) {
    const tenant = key < keysOfTenant ? 'acme' : `tenant-${key / batch}`;
    const values = Array.from({ length: batch }, (_, index) => [
      `t:{${tenant}}:cache:pages:${key + index}`,
      'j["page"]',
    ]);
    await client.mset(values.flat());
  }
  const times: number[] = [];
  for (let round = 0; round < 200; round += 1) {
    const start = performance.now();
    await invalidateTenantCache(connection, 'acme');
    times.push(performance.now() - start);
  }
  progress('purging with SCAN');
  const start = performance.now();
  let [cursor, found] = ['0', 0];
  do {
    const [next, keys] = await client.scan(cursor, 'MATCH', 't:{acme}:cache:*', 'COUNT', 1_000);
    if (keys.length > 0) found += await client.unlink(...keys);
    cursor = next;
  } while (cursor !== '0');
  const scan = performance.now() - start;
  if (found !== keysOfTenant) throw new Error(`SCAN found ${found} keys, not ${keysOfTenant}.`);
  client.disconnect();
  return { ours: median(times), scan };
}

/** Through a link that counts and delays, as a network does. */
async function loading(url: string) {
  const link = await startLink(Number(new URL(url).port), latencyMs);
  const connection = openCacheConnection(link.url, { timeoutMs });
  const cache = createTenantCache(connection);
  const limiter = createRateLimiter({ connection });
  const limit = () => limiter.consume({ tenantId: 'acme', limit: limitsFor('enterprise') });
  const page = (peek?: ReturnType<TenantCache['peek']>) => cache.remember(pages, '1', async () => ['a', 'b'], peek);
  const together = async () => {
    const peek = cache.peek(pages, '1');
    await limit();
    await page(peek);
  };
  const inTurn = async () => {
    await limit();
    await page();
  };
  const placement = { model: 'pool', cluster: 'main', database: 'tenantry', schema: 'pool' } as const;
  const tenant = { tenantId: 'acme', plan: 'enterprise', placement, userId: 'u', roles: [], capability: '' } as const;
  const measured = await runWithTenant(tenant, async () => {
    await inTurn();
    const times = await takeTurns({ together, inTurn }, { rounds: 10, callsPerRound: 20 });
    const before = link.roundTrips();
    for (let load = 0; load < 20; load += 1) await together();
    return { ...times, roundTrips: (link.roundTrips() - before) / 20 };
  });
  connection.close();
  link.stop();
  return measured;
}

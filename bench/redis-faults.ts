import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import * as z from 'zod';
import { type LocalRedis, startRedis } from '../local/redis.ts';
import { cacheNamespace, createTenantCache, openCacheConnection } from '../shared/cache/index.ts';
import { createRateLimiter, limitsFor } from '../shared/rate-limit/index.ts';
import { runWithTenant } from '../shared/tenancy/index.ts';
import { atMost, median, type Ratio, type Row } from './bench.ts';
import { type Link, startLink } from './redis-link.ts';

const [latencyMs, requests, pauseMs] = [1, 60, 25];
/** By which a request may be held up. */
const mostMs = 50;
const pages = cacheNamespace('pages', { schema: z.array(z.string()), ttlSeconds: 600 });

interface Server {
  readonly redis: LocalRedis;
  readonly link: Link;
  readonly admin: Redis;
}

/** What goes wrong, and whether the embedded server can do that too. */
const faults: Readonly<Record<string, { readonly breakIt: (server: Server) => unknown; readonly real?: true }>> = {
  'is gone': { breakIt: ({ redis }) => redis.stop() },
  'answers in 300 ms': { breakIt: ({ link }) => link.delay(300) },
  'does not answer': { breakIt: ({ link }) => link.delay(3_600_000) },
  'is out of memory': { breakIt: ({ admin }) => admin.config('SET', 'maxmemory', '1'), real: true },
  'has become a replica': { breakIt: ({ admin }) => admin.replicaof('127.0.0.1', 1), real: true },
};

/** By how much longer a request's limit and page take while something is wrong with the server than while it is well. */
export async function duringFaults(
  progress: (message: string) => void,
): Promise<{ readonly rows: readonly Row[]; readonly ratios: readonly Ratio[] }> {
  const rows: Row[] = [];
  const slowest: number[] = [];
  for (const [name, { breakIt, real }] of Object.entries(faults)) {
    const redis = await startRedis();
    if (real && redis.kind === 'js-redis-server') {
      await redis.stop();
      continue;
    }
    progress(`loading pages while the server ${name}`);
    const { port } = new URL(redis.url);
    const server = { redis, link: await startLink(Number(port), latencyMs), admin: new Redis(Number(port)) };
    server.admin.on('error', () => undefined);
    const { healthy, added } = await compare(server, () => breakIt(server));
    server.admin.disconnect();
    server.link.stop();
    await redis.stop();
    slowest.push(Math.max(...added));
    if (rows.length === 0) rows.push({ case: 'limit and page, server well', value: healthy, unit: 'ms' });
    rows.push(
      { case: `more while it ${name}, median`, value: median(added), unit: 'ms' },
      { case: `more while it ${name}, slowest of ${requests}`, value: Math.max(...added), unit: 'ms' },
    );
  }
  return { rows, ratios: [atMost('slowest request during a fault: ms more', Math.max(...slowest), mostMs)] };
}

async function compare({ link }: Server, breakIt: () => unknown): Promise<{ healthy: number; added: number[] }> {
  const connection = openCacheConnection(link.url, { warn: () => undefined });
  const cache = createTenantCache(connection);
  const limiter = createRateLimiter({ connection });
  const placement = { model: 'pool', cluster: 'main', database: 'tenantry', schema: 'pool' } as const;
  const tenant = { tenantId: 'acme', plan: 'enterprise', placement, userId: 'u', roles: [], capability: '' } as const;
  const request = async (): Promise<number> => {
    const start = performance.now();
    const deciding = limiter.consume({ tenantId: 'acme', limit: limitsFor('enterprise') });
    const peek = cache.peek(pages, '1');
    await deciding;
    await cache.remember(pages, '1', async () => ['a', 'b'], peek);
    return performance.now() - start;
  };
  const many = async (): Promise<number[]> => {
    const times: number[] = [];
    for (let sent = 0; sent < requests; sent += 1) {
      times.push(await request());
      await sleep(pauseMs);
    }
    return times;
  };
  return runWithTenant(tenant, async () => {
    await many();
    const healthy = median(await many());
    await breakIt();
    const added = (await many()).map((ms) => ms - healthy);
    connection.close();
    return { healthy, added };
  });
}

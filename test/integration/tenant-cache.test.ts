import { Cluster, Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { serveTenantCache } from '../../functions/tenant-cache/service.ts';
import {
  type CacheConnection,
  countTenantKeys,
  keysConnection,
  openCacheConnection,
} from '../../shared/cache/index.ts';
import { createRateLimiter, limitsFor } from '../../shared/rate-limit/index.ts';
import { tenantChange } from '../helpers/tenant-change.ts';
import { startFaultyLink } from '../helpers/redis-link.ts';
import { redisKinds, startTestRedis, type TestRedis } from '../helpers/redis.ts';

const servers = redisKinds.flatMap((kind) => [
  { kind, cluster: false },
  { kind, cluster: true },
]);

describe.each(servers)('the cache of a tenant, on $kind, cluster: $cluster', ({ kind, cluster }) => {
  let redis: TestRedis;
  let connection: CacheConnection;
  let client: Redis | Cluster;
  beforeAll(async () => {
    redis = await startTestRedis(kind, { cluster });
    connection = keysConnection(redis.url);
    client = cluster ? new Cluster([{ host: '127.0.0.1', port: redis.port }]) : new Redis(redis.port);
  });
  afterAll(async () => {
    client.disconnect();
    connection.close();
    await redis.stop();
  });
  afterEach(async () => {
    for (const tenantId of ['acme', 'acme-two', 'globex']) await serve(tenantId, 'purge');
  });

  const serve = (tenantId: string, action: string, ms = 30_000) =>
    serveTenantCache({ tenantId, action }, connection, Date.now() + ms);
  const fill = async (tenantId: string, keys: number): Promise<void> => {
    for (let key = 0; key < keys; key += 1) await client.set(`t:{${tenantId}}:g1:projects:${key}`, 'x');
  };

  it('has no key any more once it is purged, and others keep theirs', async () => {
    await fill('acme', 2_500);
    await fill('acme-two', 3);
    await fill('globex', 3);
    await expect(serve('acme', 'count')).resolves.toEqual({ keys: 2_500, done: true });
    await expect(serve('acme', 'purge')).resolves.toEqual({ keys: 2_500, done: true });
    await expect(serve('acme', 'count')).resolves.toEqual({ keys: 0, done: true });
    await expect(serve('acme-two', 'count')).resolves.toEqual({ keys: 3, done: true });
    await expect(serve('globex', 'count')).resolves.toEqual({ keys: 3, done: true });
    await expect(serve('acme', 'purge')).resolves.toEqual({ keys: 0, done: true });
  });

  it('includes the buckets of its rate limits', async () => {
    const limits = openCacheConnection(redis.url, { timeoutMs: 5_000 });
    const limiter = createRateLimiter({ connection: limits });
    await limiter.consume({ tenantId: 'acme', limit: limitsFor('free') });
    await limiter.consume({ tenantId: 'globex', limit: limitsFor('free') });
    limits.close();
    await expect(serve('acme', 'purge')).resolves.toEqual({ keys: 1, done: true });
    await expect(serve('globex', 'count')).resolves.toEqual({ keys: 1, done: true });
  });

  it('says when there was no time for all of it, and never counts a part', async () => {
    await fill('acme', 1);
    await expect(serve('acme', 'purge', -1)).resolves.toEqual({ keys: 0, done: false });
    await expect(serve('acme', 'count', -1)).rejects.toThrow('Give the function more time.');
  });

  const generationOf = (tenantId: string) => client.hget(`t:{${tenantId}}:generations`, 'tenant');
  const hear = (event: object) => serveTenantCache(event, connection, Date.now() + 30_000);

  it('gets a later generation by each event of the tenant, and others keep theirs', async () => {
    await client.hset('t:{acme}:generations', { tenant: '7', projects: '8' });
    await client.hset('t:{globex}:generations', { tenant: '7' });
    const before = Date.now() * 1_000;
    await hear(tenantChange('acme'));
    const first = Number(await generationOf('acme'));
    expect(first).toBeGreaterThan(before - 1_000_000);
    await hear(tenantChange('acme'));
    expect(Number(await generationOf('acme'))).toBeGreaterThan(first);
    expect(await client.hget('t:{acme}:generations', 'projects')).toBe('8');
    expect(await generationOf('globex')).toBe('7');
  });

  it('gets a later generation also if the clock of the server was set back', async () => {
    const ahead = (Date.now() + 3_600_000) * 1_000;
    await client.hset('t:{acme}:generations', { tenant: String(ahead) });
    await hear(tenantChange('acme'));
    expect(await generationOf('acme')).toBe(String(ahead + 1));
  });

  it('begins anew with its limits by each event of the tenant: what has used a low one up is no use of a high one', async () => {
    const limiter = createRateLimiter({ connection });
    const ask = (tenantId: string, requestsPerMinute: number) =>
      limiter.consume({ tenantId, limit: { requestsPerMinute, burst: 2 } });
    for (const tenantId of ['acme', 'acme', 'globex', 'globex']) await ask(tenantId, 1);
    expect(await ask('acme', 6_000)).toMatchObject({ allowed: false });
    await hear(tenantChange('acme'));
    expect(await ask('acme', 6_000)).toMatchObject({ allowed: true, remaining: 1 });
    expect(await ask('globex', 1)).toMatchObject({ allowed: false });
  });

  it.each([
    { tenantId: '*', action: 'purge' },
    { tenantId: 'acme', action: 'flush' },
    { tenantId: 'acme', action: 'invalidate' },
    {},
    tenantChange('*'),
    tenantChange('acme', { source: 'somebody' }),
    tenantChange('acme', { detail: {} }),
  ])('refuses %j', async (event) => {
    await expect(serveTenantCache(event, connection, Date.now() + 1_000)).rejects.toThrow();
  });
});

describe.each(redisKinds)('the cache of a tenant, on %s', (kind) => {
  it('is gone through also where the server takes its time over each answer', async () => {
    const redis = await startTestRedis(kind);
    const link = await startFaultyLink(redis.port);
    const keys = keysConnection(link.url);
    await keys.run((client) => client.set('t:{acme}:x', '1'));
    link.delay(1_200);
    const found = await countTenantKeys(keys, 'acme', Date.now() + 30_000).catch(String);
    keys.close();
    await link.stop();
    await redis.stop();
    expect(found).toEqual({ keys: 1, done: true });
  });
});

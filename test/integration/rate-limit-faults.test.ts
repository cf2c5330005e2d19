import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { cacheAccessString } from '../../shared/contract/index.ts';
import * as z from 'zod';
import {
  type CacheConnection,
  type CacheConnectionOptions,
  cacheNamespace,
  createTenantCache,
  openCacheConnection,
  purgeTenantKeys,
} from '../../shared/cache/index.ts';
import { createRateLimiter, type RateLimitDecision, type RateLimiter } from '../../shared/rate-limit/index.ts';
import { inTenant } from '../helpers/cache.ts';
import { freePort } from '../helpers/ports.ts';
import { startRedisCluster } from '../helpers/redis-cluster.ts';
import { startFaultyLink } from '../helpers/redis-link.ts';
import { redisKinds, startTestRedis } from '../helpers/redis.ts';

const request = { tenantId: 'acme', limit: { requestsPerMinute: 1, burst: 2 } };
const numbers = cacheNamespace('numbers', { schema: z.number(), ttlSeconds: 60 });
const withoutUsers = 'the embedded server has no users; a redis-server on the PATH has';
const cleanups: (() => unknown)[] = [];
const warnings: string[] = [];

function connect(url: string, options: CacheConnectionOptions = {}): CacheConnection {
  const connection = openCacheConnection(url, { warn: (message) => warnings.push(message), ...options });
  cleanups.push(() => connection.close());
  return connection;
}

/** Asks until Redis itself answers again. */
async function untilRecovered(limiter: RateLimiter): Promise<RateLimitDecision> {
  for (;;) {
    const decision = await limiter.consume({ ...request, tenantId: 'recovered' });
    if (decision.source === 'redis') return decision;
    await sleep(50);
  }
}

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  warnings.length = 0;
});

describe('the rate limiter without a server', () => {
  it.each(['', '?cluster=true'])(
    'admits within the limit as far as this process sees, by default (%s)',
    async (mode) => {
      const connection = connect(`redis://127.0.0.1:${await freePort()}${mode}`);
      const limiter = createRateLimiter({ connection });
      const decisions = [];
      for (let i = 0; i < 3; i++) decisions.push(await limiter.consume(request));
      expect(decisions.map(({ allowed, source }) => [allowed, source])).toEqual([
        [true, 'local'],
        [true, 'local'],
        [false, 'local'],
      ]);
      expect(decisions.at(-1)?.retryAfterSeconds).toBe(60);
    },
  );

  it('has no more requests of a tenant under way than it may, as far as this process sees', async () => {
    const connection = connect(`redis://127.0.0.1:${await freePort()}`);
    const limiter = createRateLimiter({ connection });
    const plenty = { tenantId: 'acme', limit: { requestsPerMinute: 1e6, burst: 1_000 } };
    const ask = () => limiter.consume({ ...plenty, concurrency: { limit: 2, leaseMs: 60_000 } });
    const [one, two, three] = [await ask(), await ask(), await ask()];
    expect([one, two, three].map(({ allowed, refusedBy, source }) => [allowed, refusedBy, source])).toEqual([
      [true, undefined, 'local'],
      [true, undefined, 'local'],
      [false, 'concurrency', 'local'],
    ]);
    expect(three.remaining).toBeGreaterThan(900);
    await three.release();
    expect(await ask()).toMatchObject({ allowed: false, refusedBy: 'concurrency' });
    await one.release();
    expect(await ask()).toMatchObject({ allowed: true });
    expect(await ask()).toMatchObject({ allowed: false, refusedBy: 'concurrency' });
  });

  it('refuses where it is configured to', async () => {
    const connection = connect(`redis://127.0.0.1:${await freePort()}`);
    const limiter = createRateLimiter({ connection, whenUnavailable: 'closed' });
    expect(await limiter.consume(request)).toMatchObject({ allowed: false, source: 'none', retryAfterSeconds: 1 });
  });

  it('warns once, not at every request', async () => {
    const connection = connect(`redis://127.0.0.1:${await freePort()}`);
    const limiter = createRateLimiter({ connection });
    for (let i = 0; i < 50; i++) await limiter.consume(request);
    expect(warnings).toEqual([expect.stringContaining('going on without it')]);
  });

  it('decides also if the server takes the connection and never says a word', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    cleanups.push(() => silent.close());
    const address = silent.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    for (const mode of ['', '?cluster=true']) {
      const limiter = createRateLimiter({ connection: connect(`redis://127.0.0.1:${port}${mode}`) });
      expect((await limiter.consume(request)).source).toBe('local');
    }
  });
});

describe.each(redisKinds)('the rate limiter when %s fails', (kind) => {
  it('goes on while the server is down, and comes back with it', async () => {
    let redis = await startTestRedis(kind);
    cleanups.push(() => redis.stop());
    const limiter = createRateLimiter({ connection: connect(redis.url, { timeoutMs: 2_000 }) });
    expect((await limiter.consume(request)).source).toBe('redis');
    await redis.stop();
    expect((await limiter.consume(request)).source).toBe('local');
    redis = await startTestRedis(kind, { port: redis.port });
    expect(await untilRecovered(limiter)).toMatchObject({ allowed: true, remaining: 1 });
  });

  it('goes on while the network swallows everything, and opens another connection', async () => {
    const redis = await startTestRedis(kind);
    cleanups.push(() => redis.stop());
    const link = await startFaultyLink(redis.port);
    cleanups.push(() => link.stop());
    const limiter = createRateLimiter({ connection: connect(link.url, { timeoutMs: 200 }) });
    await untilRecovered(limiter);
    link.stall();
    const during = await Promise.all(Array.from({ length: 20 }, () => limiter.consume(request)));
    expect(new Set(during.map(({ source }) => source))).toEqual(new Set(['local']));
    link.resume();
    expect((await untilRecovered(limiter)).source).toBe('redis');
  });

  it('logs in with the credentials of the moment', async ({ skip }) => {
    skip(kind === 'embedded', withoutUsers);
    const redis = await startTestRedis(kind);
    cleanups.push(() => redis.stop());
    const admin = new Redis(redis.url);
    cleanups.push(() => admin.disconnect());
    let password = 'first';
    const user = (): Promise<unknown> =>
      admin.call('ACL', 'SETUSER', 'limits', 'on', 'resetpass', `>${password}`, '~*', '+@all');
    await user();
    const credentials = (): Promise<{ username: string; password: string }> =>
      Promise.resolve({ username: 'limits', password });
    const connection = connect(redis.url, { timeoutMs: 2_000, credentials });
    const limiter = createRateLimiter({ connection });
    const whoami = (): Promise<unknown> => connection.run((client) => client.call('ACL', 'WHOAMI'));
    expect(await whoami()).toBe('limits');
    password = 'second';
    await user();
    await admin.call('CLIENT', 'KILL', 'USER', 'limits');
    await untilRecovered(limiter);
    expect(await whoami()).toBe('limits');
  });

  it('keeps a refused password out of the warning', async ({ skip }) => {
    skip(kind === 'embedded', withoutUsers);
    const redis = await startTestRedis(kind);
    cleanups.push(() => redis.stop());
    const told: unknown[] = [];
    const url = redis.url.replace('//', '//nobody:hunter2@');
    const connection = connect(url, { timeoutMs: 2_000, warn: (...parts) => told.push(...parts) });
    expect((await createRateLimiter({ connection }).consume(request)).source).toBe('local');
    expect(inspect(told, { depth: null })).toContain('WRONGPASS');
    expect(inspect(told, { depth: null })).not.toContain('hunter2');
  });

  it('needs no more rights than the deployed user has, nor does the cache; others are refused', async ({ skip }) => {
    skip(kind === 'embedded', withoutUsers);
    const redis = await startRedisCluster();
    cleanups.push(() => redis.stop());
    for (const { admin } of redis.nodes)
      await admin.call('ACL', 'SETUSER', 'app', '>secret', ...cacheAccessString.split(' '));
    const connection = connect(redis.url.replace('//', '//app:secret@'), { timeoutMs: 2_000 });
    const concurrency = { limit: 1, leaseMs: 60_000 };
    const also = [{ scope: 'GET /projects', limit: request.limit }];
    const decision = await createRateLimiter({ connection }).consume({ ...request, also, concurrency });
    await decision.release();
    expect(decision.source).toBe('redis');
    const cache = createTenantCache(connection);
    const values: unknown[] = [];
    await inTenant(request.tenantId, async () => {
      values.push(await cache.remember(numbers, 'x', async () => 1), await cache.get(numbers, 'x'));
      await cache.delete(numbers, 'x');
      values.push(await cache.get(numbers, 'x'), await cache.remember(numbers, 'x', async () => 2));
      await cache.invalidate(numbers);
      values.push(await cache.get(numbers, 'x'));
    });
    expect(values).toEqual([1, 1, undefined, 2, undefined]);
    expect(await purgeTenantKeys(connection, request.tenantId, Number.POSITIVE_INFINITY)).toMatchObject({ done: true });
    const { port } = await redis.homeOf(`{${request.tenantId}}`);
    const node = new Redis(port, '127.0.0.1', { username: 'app', password: 'secret' });
    cleanups.push(() => node.disconnect());
    const key = `t:{${request.tenantId}}:x`;
    const refused = [
      ['KEYS', '*'],
      ['RANDOMKEY'],
      ['DBSIZE'],
      ['DUMP', key],
      ['MEMORY', 'USAGE', key],
      ['FLUSHALL'],
      ['SCRIPT', 'FLUSH'],
      ['SCRIPT', 'KILL'],
      ['FUNCTION', 'FLUSH'],
      ['CLUSTER', 'GETKEYSINSLOT', '1', '10'],
      ['CLIENT', 'TRACKING', 'ON'],
      ['CLIENT', 'LIST'],
      ['MONITOR'],
      ['SUBSCRIBE', 'x'],
      ['ACL', 'LIST'],
      ['CONFIG', 'GET', '*'],
      ['SET', 'other', '1'],
    ];
    const answers = await Promise.all(
      refused.map(([command = '', ...parameters]) =>
        node.call(command, ...parameters).catch((error: unknown) => String(error)),
      ),
    );
    expect(answers).toEqual(refused.map(() => expect.stringContaining('NOPERM')));
  });
});

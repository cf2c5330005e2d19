import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import {
  type CacheConnection,
  cacheNamespace,
  createTenantCache,
  openCacheConnection,
} from '../../shared/cache/index.ts';
import { createRateLimiter, type RateLimiter } from '../../shared/rate-limit/index.ts';
import { inTenant } from '../helpers/cache.ts';
import { type FaultyLink, startFaultyLink } from '../helpers/redis-link.ts';
import { redisKinds, startTestRedis } from '../helpers/redis.ts';

const numbers = cacheNamespace('numbers', { schema: z.number(), ttlSeconds: 60 });
const limit = { requestsPerMinute: 6_000, burst: 1_000 };
const concurrency = { limit: 3, leaseMs: 60_000 };
/** So long everybody waits here: more than a busy machine takes. */
const timeoutMs = 250;
const lateMs = 400;

/** As functions log in on AWS: with what is good for a while. Servers that have no users let everybody in. */
const login = { username: 'app', password: 'secret', renewAt: Number.POSITIVE_INFINITY };
const servers = redisKinds.flatMap((kind) =>
  [false, true].filter((isAsked) => kind !== 'embedded' || !isAsked).map((isAsked) => ({ kind, isAsked })),
);

// Who has given up on an answer has not undone the question.
describe.each(servers)('what $kind answers too late, login: $isAsked', ({ kind, isAsked }) => {
  const cleanups: (() => unknown)[] = [];
  let [link, admin]: [FaultyLink, Redis] | [] = [];
  let patient: CacheConnection;

  /** A connection of a function that has answered before. */
  const connectWarm = async (): Promise<CacheConnection> => {
    const credentials = isAsked && { credentials: () => Promise.resolve(login) };
    const connection = openCacheConnection(link?.url ?? '', { timeoutMs, warn: () => undefined, ...credentials });
    cleanups.push(() => connection.close());
    for (;;) {
      const isThere = await connection
        .run((client) => client.get('t:{nobody}'))
        .then(
          () => true,
          () => false,
        );
      if (isThere) return connection;
      await sleep(20);
    }
  };
  /** A connection that opens when it may, which is later than anybody waits. */
  const connectSlowly = (): { connection: CacheConnection; open: () => void } => {
    const { promise, resolve } = Promise.withResolvers<{ username: string; password: string }>();
    const options = { credentials: () => promise, timeoutMs, warn: () => undefined };
    const connection = openCacheConnection(link?.url ?? '', options);
    cleanups.push(() => connection.close());
    return { connection, open: () => resolve(isAsked ? login : { username: 'default', password: '' }) };
  };
  const places = (): Promise<number> => admin?.zcard('t:{acme}:leases') ?? Promise.resolve(-1);
  const ask = async (limiter: RateLimiter): Promise<string> => {
    const decision = await limiter.consume({ tenantId: 'acme', limit, concurrency });
    await decision.release();
    return decision.source;
  };

  beforeEach(async () => {
    const redis = await startTestRedis(kind);
    link = await startFaultyLink(redis.port);
    admin = new Redis(redis.port, '127.0.0.1');
    if (isAsked) await admin.call('ACL', 'SETUSER', login.username, 'on', `>${login.password}`, '~*', '+@all');
    patient = openCacheConnection(redis.url, { timeoutMs: 10_000 });
    cleanups.push(
      () => redis.stop(),
      () => link?.stop(),
      () => admin?.disconnect(),
      () => patient.close(),
    );
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  });

  it('leaves no place among the requests under way taken', async () => {
    const connection = await connectWarm();
    const limiter = createRateLimiter({ connection });
    await expect.poll(() => ask(limiter)).toBe('redis');
    link?.delay(lateMs);
    expect(await ask(limiter)).toBe('local');
    link?.delay(0);
    await expect.poll(places, { timeout: 5_000 }).toBe(0);
  });

  it('is not asked for again over the next connection', async () => {
    const connection = await connectWarm();
    const limiter = createRateLimiter({ connection });
    const scarce = { tenantId: 'acme', limit: { requestsPerMinute: 1, burst: 10 } };
    await expect.poll(async () => (await limiter.consume(scarce)).source).toBe('redis');
    const before = await admin?.get('t:{acme}:limit:all');
    link?.stall();
    expect((await limiter.consume(scarce)).source).toBe('local');
    link?.resume();
    await expect.poll(() => connection.run((client) => client.ping()).catch(String), { timeout: 5_000 }).toBe('PONG');
    expect(await admin?.get('t:{acme}:limit:all')).toBe(before);
  });

  it('is not asked for again where it says that it has forgotten the script', async () => {
    const limiter = createRateLimiter({ connection: await connectWarm() });
    await expect.poll(() => ask(limiter)).toBe('redis');
    await admin?.script('FLUSH');
    await admin?.del('t:{acme}:limit:all');
    link?.delay(lateMs);
    expect(await ask(limiter)).toBe('local');
    await sleep(2 * lateMs);
    expect(await admin?.get('t:{acme}:limit:all')).toBeNull();
    expect(await places()).toBe(0);
  });

  it('is not asked for by who has waited for a connection in vain', async () => {
    const { connection, open } = connectSlowly();
    expect(await ask(createRateLimiter({ connection }))).toBe('local');
    open();
    await expect.poll(() => connection.client.status, { timeout: 5_000 }).toBe('ready');
    expect(await connection.client.get('t:{acme}:limit:all')).toBeNull();
    expect(await places()).toBe(0);
  });

  it('keeps no write from making the cache invalid', async () => {
    const connection = await connectWarm();
    const [writer, reader] = [createTenantCache(connection), createTenantCache(patient)];
    await inTenant('acme', async () => {
      expect(await reader.remember(numbers, 'x', async () => 1)).toBe(1);
      link?.delay(lateMs);
      expect(await ask(createRateLimiter({ connection }))).toBe('local');
      link?.delay(0);
      await writer.invalidate(numbers);
      await expect.poll(() => reader.get(numbers, 'x'), { timeout: 5_000 }).toBeUndefined();
    });
  });

  it('keeps no write from making the cache invalid either where there is no connection yet', async () => {
    const reader = createTenantCache(patient);
    const { connection, open } = connectSlowly();
    await inTenant('acme', async () => {
      expect(await reader.remember(numbers, 'x', async () => 1)).toBe(1);
      expect(await ask(createRateLimiter({ connection }))).toBe('local');
      const invalidated = createTenantCache(connection).invalidate(numbers);
      open();
      await invalidated;
      expect(await reader.get(numbers, 'x')).toBeUndefined();
    });
  });

  it('has nobody wait for a value that nobody loads', async () => {
    const late = createTenantCache(await connectWarm());
    const reader = createTenantCache(patient);
    await inTenant('acme', async () => {
      link?.delay(lateMs);
      expect(await late.remember(numbers, 'x', async () => 1)).toBe(1);
      link?.delay(0);
      await sleep(lateMs);
      const since = performance.now();
      expect(await reader.remember(numbers, 'x', async () => 2)).toBe(2);
      expect(performance.now() - since).toBeLessThan(500);
      expect(await reader.get(numbers, 'x')).toBe(2);
    });
  });
});

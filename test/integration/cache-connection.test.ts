import { Redis } from 'ioredis';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type CacheClient, CacheUnavailableError, openCacheConnection } from '../../shared/cache/index.ts';
import { type FaultyLink, startFaultyLink } from '../helpers/redis-link.ts';
import { redisKinds, startTestRedis, type TestRedis } from '../helpers/redis.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

interface Asked {
  readonly redis: TestRedis;
  readonly link: FaultyLink;
  /** Says what became of a command. */
  readonly ask: () => Promise<string>;
  /** Commands that were sent. */
  readonly sent: () => number;
  /** Ends the connection, and resolves when there is another. */
  readonly reconnect: () => Promise<unknown>;
}

async function connectTo(kind: (typeof redisKinds)[number], timeoutMs = 100): Promise<Asked> {
  const redis = await startTestRedis(kind);
  cleanups.push(() => redis.stop());
  const link = await startFaultyLink(redis.port);
  cleanups.push(() => link.stop());
  const connection = openCacheConnection(link.url, { timeoutMs, warn: () => undefined });
  cleanups.push(() => connection.close());
  let sent = 0;
  const set = (client: CacheClient): Promise<string> => {
    sent += 1;
    return client.set('key', 'value');
  };
  const ask = () =>
    connection.run(set).catch((error: unknown) => {
      expect(error).toBeInstanceOf(CacheUnavailableError);
      return 'unavailable';
    });
  await expect.poll(ask, { timeout: 10_000 }).toBe('OK');
  const reconnect = (): Promise<unknown> => {
    const { promise, resolve } = Promise.withResolvers();
    connection.client.once('ready', resolve);
    (connection.client as Redis).disconnect(true);
    return promise;
  };
  return { redis, link, ask, sent: () => sent, reconnect };
}

describe.each(redisKinds)('a connection to %s', (kind) => {
  it('has nobody wait for half a second after somebody waited in vain, and then asks again', async () => {
    const { link, ask, sent } = await connectTo(kind);
    link.delay(300);
    expect(await ask()).toBe('unavailable');
    const before = sent();
    for (let i = 0; i < 5; i++) expect(await ask()).toBe('unavailable');
    expect(sent()).toBe(before);
    link.delay(0);
    await expect.poll(ask, { timeout: 5_000 }).toBe('OK');
    expect(sent()).toBeGreaterThan(before);
  });

  it('asks again as soon as there is a new connection', async () => {
    const { link, ask, reconnect } = await connectTo(kind);
    link.stall();
    expect(await ask()).toBe('unavailable');
    link.resume();
    await reconnect();
    expect(await ask()).toBe('OK');
  });

  it('asks on when the server refuses a command', async ({ skip }) => {
    skip(kind === 'embedded', 'the embedded server has no memory limit; a redis-server on the PATH has');
    const { redis, ask, sent } = await connectTo(kind, 5_000);
    const admin = new Redis(redis.port);
    cleanups.push(() => admin.disconnect());
    await admin.config('SET', 'maxmemory', '1');
    expect(await ask()).toBe('unavailable');
    const before = sent();
    expect(await ask()).toBe('unavailable');
    expect(sent()).toBe(before + 1);
    await admin.config('SET', 'maxmemory', '0');
    expect(await ask()).toBe('OK');
  });
});

describe('what a connection says of failures', () => {
  it('is one warning a minute, with how many there were that it did not tell of', async () => {
    const redis = await startTestRedis('embedded');
    cleanups.push(() => redis.stop());
    const warnings: string[] = [];
    const connection = openCacheConnection(redis.url, { timeoutMs: 10_000, warn: (message) => warnings.push(message) });
    cleanups.push(() => connection.close());
    await connection.run((client) => client.ping());
    vi.useFakeTimers({ toFake: ['Date'] });
    cleanups.push(() => vi.useRealTimers());
    const fail = async (times: number): Promise<void> => {
      for (let at = 0; at < times; at += 1)
        await connection.run(() => Promise.reject(new Error('no luck'))).catch(() => undefined);
    };
    const told = (): string[] => warnings.map((warning) => /(\d+) failures before/.exec(warning)?.[1] ?? warning);
    await fail(6);
    expect(told()).toEqual(['0']);
    vi.advanceTimersByTime(59_999);
    await fail(1);
    expect(told()).toEqual(['0']);
    vi.advanceTimersByTime(1);
    await fail(3);
    expect(told()).toEqual(['0', '6']);
    vi.advanceTimersByTime(60_000);
    await fail(1);
    expect(told()).toEqual(['0', '6', '2']);
  });
});

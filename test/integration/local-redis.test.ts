import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { type LocalRedis, startRedis } from '../../local/redis.ts';
import { redisKinds, startTestRedis } from '../helpers/redis.ts';

const hasRealServer = redisKinds.includes('redis-server');
const started: LocalRedis[] = [];
afterEach(async () => {
  for (const redis of started.splice(0)) await redis.stop();
});
async function start(options: Parameters<typeof startRedis>[0]): Promise<LocalRedis> {
  const redis = await startRedis({ externalUrl: '', ...options });
  started.push(redis);
  return redis;
}

async function answers(url: string): Promise<boolean> {
  const client = new Redis(url, { retryStrategy: () => null, maxRetriesPerRequest: 0 });
  client.on('error', () => undefined);
  return client
    .eval("return redis.call('set', KEYS[1], ARGV[1]).ok", 1, 'key', 'value')
    .then((answer) => answer === 'OK')
    .catch(() => false)
    .finally(() => client.disconnect());
}

/** Whether something that listens on every interface would be reached: all of 127.0.0.0/8 is this machine (on Linux). */
async function answersElsewhere(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.2', port, timeout: 1_000 });
  return once(socket, 'connect')
    .then(() => true)
    .catch(() => false)
    .finally(() => socket.destroy());
}

describe.each(redisKinds)('a test’s %s', (kind) => {
  it.each([false, true])('listens on 127.0.0.1 alone (cluster: %s)', async (cluster) => {
    const redis = await startTestRedis(kind, { cluster });
    const ports = cluster ? await nodePorts(redis.port) : [redis.port];
    const reached = await Promise.all(ports.map(answersElsewhere));
    await redis.stop();
    expect(reached).toEqual(ports.map(() => false));
  });
});

async function nodePorts(port: number): Promise<number[]> {
  const client = new Redis({ port });
  const slots = await client.cluster('SLOTS');
  client.disconnect();
  return slots.flatMap(([, , ...nodes]) => nodes.map(([, nodePort]) => nodePort));
}

describe('the local Redis', () => {
  it('is embedded where there is no other, and ends when it is stopped, also with clients connected', async () => {
    const redis = await start({ path: '' });
    expect(redis.kind).toBe('js-redis-server');
    const client = new Redis(redis.url, { retryStrategy: () => null });
    client.on('error', () => undefined);
    expect(await client.ping()).toBe('PONG');
    expect(await answersElsewhere(Number(new URL(redis.url).port))).toBe(false);
    await redis.stop();
    expect(await answers(redis.url)).toBe(false);
  });

  it('is the one that REDIS_URL names, which is not stopped', async () => {
    const { url } = await start({ path: '' });
    const external = await startRedis({ externalUrl: url });
    expect(external).toMatchObject({ url, kind: 'external' });
    await external.stop();
    expect(await answers(url)).toBe(true);
  });

  it('says so when REDIS_URL does not answer, without the password', async () => {
    const problem = await startRedis({ externalUrl: 'redis://user:secret@127.0.0.1:1' }).catch(String);
    expect(problem).toMatch(
      /^StartupError: REDIS_URL names redis:\/\/127\.0\.0\.1:1, which does not answer: .*ECONNREFUSED/,
    );
    expect(problem).not.toContain('secret');
  });

  it('is a real server where there is one', async ({ skip }) => {
    skip(!hasRealServer, 'there is no redis-server on the PATH');
    const redis = await start({});
    expect(redis.kind).toMatch(/^(redis|valkey)-server$/);
    expect(await answers(redis.url)).toBe(true);
    expect(await answersElsewhere(Number(new URL(redis.url).port))).toBe(false);
    await redis.stop();
    expect(await answers(redis.url)).toBe(false);
  });

  it('ends with its parent, even a killed one', async ({ skip }) => {
    skip(!hasRealServer, 'there is no redis-server on the PATH');
    const dataDir = await mkdtemp(join(tmpdir(), 'tenantry-redis-'));
    const options = JSON.stringify({ externalUrl: '', dataDir });
    const script = `
      import { startRedis } from ${JSON.stringify(new URL('../../local/redis.ts', import.meta.url).href)};
      console.log((await startRedis(${options})).url);
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [printed] = await once(parent.stdout, 'data');
    const url = String(printed).trim();
    expect(await answers(url)).toBe(true);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    await expect.poll(() => answers(url), { timeout: 10_000 }).toBe(false);
    await rm(dataDir, { recursive: true, force: true });
  });
});

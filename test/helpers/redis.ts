import type { Server } from 'node:net';
import { createRedisCluster } from 'js-redis-server';
import type { TestContext } from 'vitest';
import { spawnTied } from '../../local/tied-process.ts';
import { freePort, listen } from './ports.ts';
import { startRedisCluster } from './redis-cluster.ts';
import { redisCommand, startRedisServer, untilReady } from './redis-server.ts';

export type RedisKind = 'embedded' | 'redis-server';

export interface TestRedis {
  readonly port: number;
  readonly url: string;
  stop(): Promise<void>;
}

export interface TestRedisOptions {
  /** 0 or missing: any free port. */
  readonly port?: number;
  /** Cluster mode: three nodes, each with a third of the slots. @see startRedisCluster for more about real ones */
  readonly cluster?: boolean;
}

/** Servers that tests of Redis scripts run on: the embedded one always, a real one where there is one. */
export const redisKinds: readonly RedisKind[] = hasRedisServer() ? ['embedded', 'redis-server'] : ['embedded'];

/** For `beforeEach` of tests that need a server that can fail, or move slots. */
export const needsRedisServer = ({ skip }: TestContext): void =>
  skip(
    !redisKinds.includes('redis-server'),
    'the embedded server cannot fail like that; a redis-server or valkey-server on the PATH can',
  );

function hasRedisServer(): boolean {
  if (redisCommand === undefined)
    console.warn(
      'There is no redis-server or valkey-server on the PATH: Redis scripts are tested on the embedded server alone.',
    );
  return redisCommand !== undefined;
}

export async function startTestRedis(kind: RedisKind, options: TestRedisOptions = {}): Promise<TestRedis> {
  const { port = 0, cluster = false } = options;
  if (kind === 'redis-server') return cluster ? startRedisCluster() : startServer(port || (await freePort()));
  return cluster ? startEmbeddedCluster() : startEmbedded(port || (await freePort()));
}

const localRedis = new URL('../../local/redis.ts', import.meta.url).href;

/** That of the local stack, in a process of its own, so that its work holds up no timers of what is tested. */
async function startEmbedded(port: number): Promise<TestRedis> {
  const options = JSON.stringify({ port, externalUrl: '', path: '' });
  const program = `import { startRedis } from ${JSON.stringify(localRedis)}; await startRedis(${options});`;
  const command = [process.execPath, '--input-type=module', '--eval', program];
  const server = spawnTied(command, { stopSignal: 'TERM' });
  (await untilReady(port)).disconnect();
  return { port, url: urlOf(port, false), stop: () => server.stop() };
}

async function startEmbeddedCluster(): Promise<TestRedis> {
  const cluster = createRedisCluster({ masters: 3, basePort: 0 });
  for (const node of cluster['servers']) {
    // By itself it would listen on every network interface.
    node.listen = async () => void (await listen(node.server as Server));
  }
  await cluster.listen();
  const port = cluster.nodes[0]?.port ?? 0;
  return { port, url: urlOf(port, true), stop: () => cluster.close() };
}

async function startServer(port: number): Promise<TestRedis> {
  const server = await startRedisServer(port);
  return { port, url: urlOf(port, false), stop: () => server.stop() };
}

function urlOf(port: number, cluster: boolean): string {
  return `redis://127.0.0.1:${port}${cluster ? '?cluster=true' : ''}`;
}

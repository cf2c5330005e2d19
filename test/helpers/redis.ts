import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { createRedisCluster } from 'js-redis-server';
import { spawnTied } from '../../local/tied-process.ts';

export type RedisKind = 'embedded' | 'redis-server';

export interface TestRedis {
  readonly port: number;
  readonly url: string;
  stop(): Promise<void>;
}

export interface TestRedisOptions {
  /** 0 or missing: any free port. */
  readonly port?: number;
  /** Cluster mode: three nodes embedded, one real node that holds all slots. */
  readonly cluster?: boolean;
}

/** Servers that tests of Redis scripts run on: the embedded one always, a real one where there is one. */
export const redisKinds: readonly RedisKind[] = hasRedisServer() ? ['embedded', 'redis-server'] : ['embedded'];

function hasRedisServer(): boolean {
  const found = spawnSync('redis-server', ['--version']).status === 0;
  if (!found)
    console.warn('There is no redis-server on the PATH: Redis scripts are tested on the embedded server alone.');
  return found;
}

export async function startTestRedis(kind: RedisKind, options: TestRedisOptions = {}): Promise<TestRedis> {
  const { port = 0, cluster = false } = options;
  if (kind === 'redis-server') return startRedisServer(port || (await freePort()), cluster);
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

async function startRedisServer(port: number, cluster: boolean): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'tenantry-redis-'));
  const flags = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder];
  const clusterFlags = ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'].concat(
    '--cluster-port',
    String(await freePort()),
  );
  const server = spawnTied(['redis-server', ...flags, ...(cluster ? clusterFlags : [])], { stopSignal: 'TERM' });
  const client = await untilReady(port);
  if (cluster) {
    await client.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    while (!String(await client.call('CLUSTER', 'INFO')).includes('cluster_state:ok'));
  }
  client.disconnect();
  const stop = async (): Promise<void> => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  return { port, url: urlOf(port, cluster), stop };
}

async function untilReady(port: number): Promise<Redis> {
  const client = new Redis({ port, retryStrategy: () => 20, maxRetriesPerRequest: null });
  client.on('error', () => undefined);
  await client.ping();
  return client;
}

function urlOf(port: number, cluster: boolean): string {
  return `redis://127.0.0.1:${port}${cluster ? '?cluster=true' : ''}`;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = await listen(createServer());
  const port = portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}

/** A way to a server that can be made to swallow everything, as a network does that drops packets. */
export interface FaultyLink {
  readonly url: string;
  stall(): void;
  /** Lets through what comes over new connections; those that were stalled stay silent. */
  resume(): void;
  stop(): Promise<void>;
}

export async function startFaultyLink(targetPort: number): Promise<FaultyLink> {
  const sockets = new Set<Socket>();
  let stalled = false;
  const stall = (): void => {
    stalled = true;
    for (const socket of sockets) socket.unpipe().pause();
  };
  const server = createServer((near) => {
    const far = connect(targetPort, '127.0.0.1');
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy()).on('close', () => other.destroy());
    }
    if (stalled) stall();
    else near.pipe(far).pipe(near);
  });
  await listen(server);
  return {
    url: urlOf(portOf(server), false),
    stall,
    resume: () => (stalled = false),
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function listen(server: Server): Promise<Server> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server listens on no port.');
  return address.port;
}

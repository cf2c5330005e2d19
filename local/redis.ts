import { once } from 'node:events';
import { access, constants, mkdir, mkdtemp, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { createRedisCommandExecutor, RedisServerState, Resp2Server } from 'js-redis-server/core';
import { StartupError } from './stack/startup-error.ts';
import { freePort } from './free-port.ts';
import { spawnTied } from './tied-process.ts';

/** Servers of the Redis protocol that can be on the PATH, best first. */
const programs = ['redis-server', 'valkey-server'] as const;

const never = new Promise<never>(() => undefined);

export interface LocalRedis {
  readonly url: string;
  /** What serves it: one that runs already, a real server of our own, or the embedded one. */
  readonly kind: 'external' | (typeof programs)[number] | 'js-redis-server';
  /** Resolves if a server of our own ends without being stopped, with how it ended. */
  readonly crashed: Promise<string>;
  stop(): Promise<void>;
}

export interface LocalRedisOptions {
  /** Of a server that is started. @default any free one */
  readonly port?: number;
  /** Working folder of a real server; made if it is missing. @default a temporary one */
  readonly dataDir?: string;
  /** Where a Redis runs already. @default the environment variable REDIS_URL */
  readonly externalUrl?: string | undefined;
  /** Where programs are looked for. @default the environment variable PATH */
  readonly path?: string | undefined;
}

/**
 * Finds a Redis or starts one: the one that REDIS_URL names, else redis-server or valkey-server from the PATH on a free port of
 * 127.0.0.1, else the embedded `js-redis-server`, which serves real clients too but lives and ends in this process.
 * Nothing is kept on disk: what is in the cache may be lost at any time.
 *
 * @throws StartupError if REDIS_URL does not answer, or a server does not start within 10 s
 */
export async function startRedis(options: LocalRedisOptions = {}): Promise<LocalRedis> {
  const { externalUrl = process.env['REDIS_URL'], path = process.env['PATH'] ?? '' } = options;
  if (externalUrl) return useExternal(externalUrl);
  for (const kind of programs) {
    const program = await findProgram(kind, path);
    if (program) return startServer(kind, program, options);
  }
  return startEmbedded(options.port);
}

async function findProgram(name: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter)) {
    const file = join(folder, name);
    const found = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (folder !== '' && found) return file;
  }
  return undefined;
}

async function useExternal(url: string): Promise<LocalRedis> {
  const problem = await ping(url);
  if (problem)
    throw new StartupError(
      `REDIS_URL names ${withoutPassword(url)}, which does not answer: ${problem}. Start it, or unset REDIS_URL.`,
    );
  return { url, kind: 'external', crashed: never, stop: () => Promise.resolve() };
}

async function startServer(
  kind: (typeof programs)[number],
  program: string,
  { dataDir, port: wantedPort }: LocalRedisOptions,
): Promise<LocalRedis> {
  const folder = dataDir ?? (await mkdtemp(join(tmpdir(), 'tenantry-redis-')));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const port = wantedPort ?? (await freePort());
  const flags = ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no', '--dir', folder];
  const server = spawnTied([program, ...flags], { stopSignal: 'TERM' });
  const stop = async (): Promise<void> => {
    await server.stop();
    if (dataDir === undefined) await rm(folder, { recursive: true, force: true });
  };
  const url = `redis://127.0.0.1:${port}`;
  for (let waitedMs = 0; waitedMs < 10_000 && server.child.exitCode === null; waitedMs += 20) {
    if ((await ping(url)) === undefined) return { url, kind, crashed: server.crashed, stop };
    await sleep(20);
  }
  await stop();
  throw new StartupError(`${kind} did not start:\n${server.output()}`);
}

/** Assembled by hand, since the package's own way listens on every network interface and waits for clients when it is stopped. */
async function startEmbedded(port = 0): Promise<LocalRedis> {
  const redis = new Resp2Server({ server: new RedisServerState(), executor: createRedisCommandExecutor() });
  const sockets = new Set<Socket>();
  redis.server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  redis.server.listen(port, '127.0.0.1');
  await once(redis.server, 'listening');
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    if (redis.server.listening) await redis.close();
  };
  return { url: `redis://127.0.0.1:${redis.getPort()}`, kind: 'js-redis-server', crashed: never, stop };
}

/** Why the server at `url` does not answer; nothing if it does. */
async function ping(url: string): Promise<string | undefined> {
  let reason: string | undefined;
  const client = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: 2_000,
    maxRetriesPerRequest: 0,
  });
  client.on('error', (error: Error) => (reason = error.message));
  try {
    await client.connect();
    await client.ping();
    return undefined;
  } catch (error) {
    return reason ?? String(error);
  } finally {
    client.disconnect();
  }
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//');
}

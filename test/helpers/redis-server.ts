import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { spawnTied } from '../../local/tied-process.ts';

/** What a real server is called where it is installed: Redis, or Valkey. */
export const redisCommand = ['redis-server', 'valkey-server'].find(
  (command) => spawnSync(command, ['--version']).status === 0,
);

/** A real `redis-server` of a test, and a client that may do everything there. */
export interface RedisServer {
  readonly port: number;
  readonly admin: Redis;
  /** Ends it as a crash does, in the midst of whatever it does. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server that keeps nothing, on 127.0.0.1 alone. `flags` are as on its command line. */
export async function startRedisServer(port: number, flags: readonly string[] = []): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'tenantry-redis-'));
  const command = [
    redisCommand ?? 'redis-server',
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--dir',
    folder,
  ];
  const server = spawnTied([...command, ...flags], { stopSignal: 'TERM' });
  const refused = server.crashed.then((how) => Promise.reject(new Error(`No Redis: ${how}. ${server.output()}`)));
  refused.catch(() => undefined);
  const admin = await Promise.race([untilReady(port), refused]);
  const [, processId] = /process_id:(\d+)/.exec(await admin.info('server')) ?? [];
  const stop = async (): Promise<void> => {
    admin.disconnect();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  return {
    port,
    admin,
    kill: async () => {
      admin.disconnect();
      process.kill(Number(processId), 'SIGKILL');
      await server.crashed;
    },
    stop,
  };
}

/** A client of a server that is about to listen on the port. */
export async function untilReady(port: number): Promise<Redis> {
  const client = new Redis({ port, retryStrategy: () => 20, maxRetriesPerRequest: null });
  client.on('error', () => undefined);
  await client.ping();
  return client;
}

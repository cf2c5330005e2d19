import { freePort } from './ports.ts';
import { startRedisCluster } from './redis-cluster.ts';
import { startFaultyLink } from './redis-link.ts';
import { type RedisServer, startRedisServer } from './redis-server.ts';

/** A server of which something can go wrong, and be mended again. */
export interface Fault {
  readonly url: string;
  breakIt(): unknown;
  mendIt(): unknown;
}

/** Takes what is to be done when the test is over; the last comes first. */
export type OnEnd = (work: () => unknown) => void;

async function startServer(onEnd: OnEnd, port?: number): Promise<RedisServer> {
  const server = await startRedisServer(port ?? (await freePort()));
  onEnd(() => server.stop());
  return server;
}
const urlOf = ({ port }: RedisServer): string => `redis://127.0.0.1:${port}`;

/** What can go wrong with a server of the tenant `acme`. All servers are real ones. */
export const redisFaults: Record<string, (onEnd: OnEnd) => Promise<Fault>> = {
  'is killed': async (onEnd) => {
    const server = await startServer(onEnd);
    return { url: urlOf(server), breakIt: () => server.kill(), mendIt: () => startServer(onEnd, server.port) };
  },
  'is slow': async (onEnd) => {
    const link = await startFaultyLink((await startServer(onEnd)).port);
    onEnd(() => link.stop());
    return { url: link.url, breakIt: () => link.delay(300), mendIt: () => link.delay(0) };
  },
  'is not heard of any more': async (onEnd) => {
    const link = await startFaultyLink((await startServer(onEnd)).port);
    onEnd(() => link.stop());
    return { url: link.url, breakIt: () => link.stall(), mendIt: () => link.resume() };
  },
  'has become a replica, which takes no writes': async (onEnd) => {
    const [primary, server] = [await startServer(onEnd), await startServer(onEnd)];
    return {
      url: urlOf(server),
      breakIt: () => server.admin.replicaof('127.0.0.1', primary.port),
      mendIt: () => server.admin.replicaof('NO', 'ONE'),
    };
  },
  'is out of memory': async (onEnd) => {
    const server = await startServer(onEnd);
    const maxMemory = (bytes: string) => server.admin.config('SET', 'maxmemory', bytes);
    return { url: urlOf(server), breakIt: () => maxMemory('1'), mendIt: () => maxMemory('0') };
  },
  'wants another password': async (onEnd) => {
    const server = await startServer(onEnd);
    const rename = async (rule: string) => {
      await server.admin.call('ACL', 'SETUSER', 'app', 'reset', 'on', rule, '~*', '+@all');
      // To those who are logged in nothing changes.
      await server.admin.call('CLIENT', 'KILL', 'USER', 'app');
    };
    await rename('>right');
    const url = urlOf(server).replace('//', '//app:right@');
    return { url, breakIt: () => rename('>other'), mendIt: () => rename('>right') };
  },
  'loses the slots of the tenant': async (onEnd) => {
    const cluster = await startRedisCluster();
    onEnd(() => cluster.stop());
    const home = await cluster.homeOf('{acme}');
    const slot = String(await home.admin.call('CLUSTER', 'KEYSLOT', '{acme}'));
    const everywhere = async (...command: string[]) => {
      for (const { admin } of cluster.nodes) await admin.call('CLUSTER', ...command).catch(() => undefined);
    };
    return {
      url: cluster.url,
      breakIt: () => everywhere('DELSLOTS', slot),
      mendIt: () => everywhere('SETSLOT', slot, 'NODE', home.id),
    };
  },
};

import { expect } from 'vitest';
import { type ClusterNode, type RedisCluster, startRedisCluster } from './redis-cluster.ts';
import { type FaultyLink, startFaultyLink } from './redis-link.ts';

/** A cluster whose node of one key can be reached over a link alone, as clients are told. */
export interface LinkedCluster {
  readonly redis: RedisCluster;
  readonly link: FaultyLink;
  /** The node behind the link. */
  readonly home: ClusterNode;
  /** By way of another node. */
  readonly url: string;
  stop(): Promise<void>;
}

export async function startLinkedCluster(key: string): Promise<LinkedCluster> {
  const redis = await startRedisCluster();
  const home = await redis.homeOf(key);
  const link = await startFaultyLink(home.port);
  const { port } = new URL(link.url);
  await home.admin.config('SET', 'cluster-announce-port', port);
  const seed = redis.nodes.find((node) => node !== home);
  const known = async (): Promise<string> => JSON.stringify(await seed?.admin.call('CLUSTER', 'SLOTS'));
  await expect.poll(known, { timeout: 10_000 }).toContain(port);
  return {
    redis,
    link,
    home,
    url: `redis://127.0.0.1:${seed?.port ?? 0}?cluster=true`,
    stop: async () => {
      await link.stop();
      await redis.stop();
    },
  };
}

import { Cluster } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { needsRedisServer } from '../helpers/redis.ts';
import { type RedisCluster, startRedisCluster } from '../helpers/redis-cluster.ts';

const cleanups: (() => unknown)[] = [];
beforeEach(needsRedisServer);
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(options?: { replica: boolean }): Promise<{ redis: RedisCluster; client: Cluster }> {
  const redis = await startRedisCluster(options);
  cleanups.push(() => redis.stop());
  const client = new Cluster([{ host: '127.0.0.1', port: redis.port }], { slotsRefreshTimeout: 5_000 });
  client.on('error', () => undefined);
  cleanups.push(() => client.disconnect());
  return { redis, client };
}

describe('the cluster that faults are tested on', () => {
  it('answers ASK while a slot moves and MOVED afterwards, and loses nothing', async () => {
    const { redis, client } = await start();
    await client.set('{moving}:old', 'kept');
    const from = await redis.homeOf('{moving}');
    const move = await redis.beginMove('{moving}');
    await expect(from.admin.get('{moving}:new')).rejects.toThrow(/^ASK /);
    await client.set('{moving}:new', 'kept too');
    await move.finish();
    await expect(from.admin.get('{moving}:old')).rejects.toThrow(/^MOVED /);
    expect(await client.mget('{moving}:old', '{moving}:new')).toEqual(['kept', 'kept too']);
  });

  it('goes on with the replica of a master that was killed', async () => {
    const { redis, client } = await start({ replica: true });
    const [first] = redis.nodes;
    let key = 0;
    while ((await redis.homeOf(`{${key}}`)) !== first) key += 1;
    await client.set(`{${key}}`, 'kept');
    await first.admin.call('WAIT', '1', '5000');
    await redis.failOver();
    await expect.poll(() => client.get(`{${key}}`).catch(String), { timeout: 15_000 }).toBe('kept');
  });
});

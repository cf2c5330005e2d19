import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Operator, operatorOf } from '../helpers/operator.ts';
import { readStackFile } from '../helpers/stack.ts';

let operator: Operator;
let redis: Redis;
beforeAll(async () => {
  operator = await operatorOf('olga');
  redis = new Redis((await readStackFile(inject('stack').dataDir)).redisUrl);
});
afterAll(() => redis.disconnect());

const generationOf = async (tenantId: string): Promise<number> =>
  Number(await redis.hget(`t:{${tenantId}}:generations`, 'tenant'));

async function untilPast(tenantId: string, before: number): Promise<number> {
  const giveUp = Date.now() + 20_000;
  for (;;) {
    const generation = await generationOf(tenantId);
    if (generation > before) return generation;
    if (Date.now() > giveUp) throw new Error(`The generation is still ${generation}.`);
    await sleep(50);
  }
}

test('what the cache knows of a tenant is void once the tenant is another', { timeout: 60_000 }, async () => {
  await operator.operate('/tenants', { tenantId: 'remembered', name: 'Remembered', plan: 'pro', model: 'pool' });
  let generation = await untilPast('remembered', 0);
  for (const [action, body] of [
    ['rename', { name: 'Renamed' }],
    ['change-limits', { burst: 5 }],
    ['change-plan', { plan: 'free' }],
    ['suspend', {}],
    ['activate', {}],
  ] as const) {
    expect((await operator.operate(`/tenants/remembered/${action}`, body)).state).toBe('succeeded');
    generation = await untilPast('remembered', generation);
  }
  expect((await operator.operate('/tenants/remembered/offboard', { export: false })).state).toBe('succeeded');
  expect(await redis.keys('t:{remembered}:*')).toEqual([]);
});

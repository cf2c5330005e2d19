import type { Result } from 'ioredis';
import type { CacheClient } from '../cache/index.ts';
import type { Bucket, Outcome } from './gcra.ts';

declare module 'ioredis' {
  interface RedisCommander<Context> {
    tenantryTake(key: string, capacityMicros: number, costMicros: number): Result<[number, number, number], Context>;
  }
}

/**
 * `take` of gcra.ts, atomically and with the server's clock, so that all functions agree on the time. Numbers are formatted, since
 * Lua's own conversion rounds to 14 digits. The key lives as long as the bucket is not full: a full one is the same as none.
 */
const lua = `
local capacity, cost = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local tat = tonumber(redis.call('GET', KEYS[1]) or now) or now
tat = math.min(math.max(tat, now), now + capacity)
local wait = tat + cost - now - capacity
if wait > 0 then
  return { 0, tat - now, wait }
end
tat = tat + cost
redis.call('SET', KEYS[1], string.format('%.0f', tat), 'PX', string.format('%.0f', math.ceil((tat - now) / 1000)))
return { 1, tat - now, 0 }
`;

/** Teaches the client the script: EVALSHA, and EVAL where the server does not know it (yet, or any more). */
export function defineTake(client: CacheClient): void {
  client.defineCommand('tenantryTake', { numberOfKeys: 1, lua });
}

/** Takes `costMicros` out of the bucket at `key`. */
export async function takeFrom(
  client: CacheClient,
  key: string,
  { capacityMicros }: Bucket,
  costMicros: number,
): Promise<Outcome> {
  const [allowed, usedMicros, waitMicros] = await client.tenantryTake(key, capacityMicros, costMicros);
  return { allowed: allowed === 1, usedMicros, waitMicros };
}

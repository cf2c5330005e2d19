import type { Result } from 'ioredis';
import type { CacheClient } from '../cache/index.ts';
import type { Verdict, Wish } from './gcra.ts';
import type { Place, Refusal } from './leases.ts';

declare module 'ioredis' {
  interface RedisCommander<Context> {
    tenantryTake(numberOfKeys: number, ...keysAndArguments: (string | number)[]): Result<number[], Context>;
  }
}

/**
 * `takeAll` of gcra.ts, atomically and with the server's clock, so that all functions agree on the time; and a place among the requests
 * that are under way, where those are limited. Everything is looked at before anything is written: a refusal leaves no trace.
 *
 * KEYS: the buckets, then the places if they are limited. ARGV: the number of buckets; capacity and cost of each; then the limit of
 * places, the id of the request, and microseconds after which its place is free again in any case.
 *
 * Numbers are formatted, since Lua's own conversion rounds to 14 digits. A bucket's key lives as long as it is not full: a full one is
 * the same as none. Places that have run out are not counted, and go when the next one is taken.
 */
const lua = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local buckets = tonumber(ARGV[1])
local reply, tats = { 1 }, {}
for i = 1, buckets do
  local capacity, cost = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local tat = tonumber(redis.call('GET', KEYS[i]) or now) or now
  tat = math.min(math.max(tat, now), now + capacity)
  local wait = math.max(tat + cost - now - capacity, 0)
  if wait > 0 then reply[1] = 0 end
  tats[i], reply[2 * i], reply[2 * i + 1] = tat, tat - now, wait
end
local places = KEYS[buckets + 1]
local limit, id, lease = ARGV[2 * buckets + 2], ARGV[2 * buckets + 3], ARGV[2 * buckets + 4]
if reply[1] == 1 and places and redis.call('ZCOUNT', places, string.format('(%.0f', now), '+inf') >= tonumber(limit) then
  reply[1] = -1
end
if reply[1] < 1 then return reply end
for i = 1, buckets do
  local tat = tats[i] + tonumber(ARGV[2 * i + 1])
  redis.call('SET', KEYS[i], string.format('%.0f', tat), 'PX', string.format('%.0f', math.ceil((tat - now) / 1000)))
  reply[2 * i] = tat - now
end
if places then
  redis.call('ZREMRANGEBYSCORE', places, '-inf', string.format('%.0f', now))
  redis.call('ZADD', places, string.format('%.0f', now + lease), id)
  local lives = math.ceil(lease / 1000)
  if redis.call('PTTL', places) < lives then redis.call('PEXPIRE', places, string.format('%.0f', lives)) end
end
return reply
`;

/** Teaches the client the script: EVALSHA, and EVAL where the server does not know it (yet, or any more). */
export function defineTake(client: CacheClient): void {
  client.defineCommand('tenantryTake', { lua });
}

/** Takes what is wished for out of all buckets, and the place, or nothing of it. */
export async function takeFrom(
  client: CacheClient,
  wishes: readonly Wish[],
  place?: Place,
): Promise<Verdict & { readonly refusedBy?: Refusal }> {
  const keys = [...wishes.map(({ key }) => key), ...(place ? [place.key] : [])];
  const amounts = wishes.flatMap(({ bucket, costMicros }) => [bucket.capacityMicros, costMicros]);
  const lease = place ? [place.limit, place.id, Math.ceil(place.leaseMs * 1_000)] : [];
  const reply = await client.tenantryTake(keys.length, ...keys, wishes.length, ...amounts, ...lease);
  const outcomes = wishes.map((_, at) => ({
    usedMicros: reply[2 * at + 1] ?? 0,
    waitMicros: reply[2 * at + 2] ?? 0,
  }));
  if (reply[0] === 1) return { allowed: true, outcomes };
  return { allowed: false, outcomes, refusedBy: reply[0] === -1 ? 'concurrency' : 'rate' };
}

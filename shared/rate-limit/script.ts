import type { Result } from 'ioredis';
import type { CacheClient, CacheConnection } from '../cache/index.ts';
import type { Verdict, Wish } from './gcra.ts';
import type { Place, Refusal } from './leases.ts';

declare module 'ioredis' {
  interface RedisCommander<Context> {
    tenantryTake(numberOfKeys: number, ...keysAndArguments: (string | number)[]): Result<number | number[], Context>;
  }
}

/**
 * `takeAll` of gcra.ts, atomically and with the server's clock, so that all functions agree on the time; and a place among the requests
 * that are under way, where those are limited. Everything is looked at before anything is taken: a refusal leaves no trace, but for a
 * bucket that is further ahead than it can be (the clock was set back): that one is empty from then on, and fills.
 *
 * KEYS: the buckets, then the places if they are limited. ARGV: the number of buckets; capacity and cost of each; then the limit of
 * places, the id of the request, and microseconds after which its place is free again in any case.
 *
 * One bucket alone, which most requests have, is decided without the loops: the same arithmetic in two thirds of the time. The reply is
 * how much of it is used, below zero if the rate refuses, since a client reads one number faster than a list.
 *
 * Otherwise replies 1 if all was taken, 0 if the rate refuses it, -1 if there is no place; then how much of each bucket is used.
 *
 * A bucket is kept as its TAT and capacity, `1800000000000000.010000000`: as a number that is the TAT, to the microsecond. Moments are formatted, since Lua's own conversion, which not every server replaces, rounds to 14 digits. A bucket's key lives as long
 * as it is not full: a full one is the same as none. Places that have run out are not counted, and go when the next one is taken.
 */
const lua = `
local call, argument, text = redis.call, tonumber, string.format
local time = call('TIME')
local now = time[1] * 1000000 + time[2]
local function atMost(key, kept, used, capacity)
  local most = math.max(capacity, argument(string.match(kept, '%.0(%d+)$')) or 0)
  if used <= most then return used end
  call('SET', key, text('%.0f.0%.0f', now + most, most), 'PX', math.ceil(most / 1000))
  return most
end
if #KEYS == 1 then
  local capacity, cost = argument(ARGV[2]), argument(ARGV[3])
  local kept = call('GET', KEYS[1]) or now
  local used = (argument(kept) or now) - now
  if used < 0 then used = 0 end
  if used > capacity then used = atMost(KEYS[1], kept, used, capacity) end
  if used + cost > capacity then return -used end
  used = used + cost
  call('SET', KEYS[1], text('%.0f.0', now + used) .. ARGV[2], 'PX', math.ceil(used / 1000))
  return used
end
local buckets = argument(ARGV[1])
local reply, after = { 1 }, {}
for i = 1, buckets do
  local capacity, cost = argument(ARGV[2 * i]), argument(ARGV[2 * i + 1])
  local kept = call('GET', KEYS[i]) or now
  local used = (argument(kept) or now) - now
  if used < 0 then used = 0 end
  if used > capacity then used = atMost(KEYS[i], kept, used, capacity) end
  if used + cost > capacity then reply[1] = 0 end
  after[i], reply[i + 1] = used + cost, used
end
local places, last = KEYS[buckets + 1], 2 * buckets + 1
if places and reply[1] == 1 and call('ZCOUNT', places, text('(%.0f', now), '+inf') >= argument(ARGV[last + 1]) then
  reply[1] = -1
end
if reply[1] < 1 then return reply end
for i = 1, buckets do
  local used = after[i]
  call('SET', KEYS[i], text('%.0f.0', now + used) .. ARGV[2 * i], 'PX', math.ceil(used / 1000))
  reply[i + 1] = used
end
if places then
  local lease = ARGV[last + 3]
  local lives = math.ceil(lease / 1000)
  call('ZREMRANGEBYSCORE', places, '-inf', text('%.0f', now))
  call('ZADD', places, text('%.0f', now + lease), ARGV[last + 2])
  if call('PTTL', places) < lives then call('PEXPIRE', places, lives) end
end
return reply
`;

/** Teaches the client the script: EVALSHA, and EVAL where the server does not know it (yet, or any more). */
export function defineTake(client: CacheClient): void {
  client.defineCommand('tenantryTake', { lua });
}

/** Takes what is wished for out of all buckets, and the place, or nothing of it. */
export async function takeFrom(
  connection: CacheConnection,
  wishes: readonly Wish[],
  place?: Place,
): Promise<Verdict & { readonly refusedBy?: Refusal }> {
  const keys: string[] = [];
  const amounts: (number | string)[] = [wishes.length];
  for (const { key, bucket, costMicros } of wishes) {
    keys.push(key);
    amounts.push(bucket.capacityMicros, costMicros);
  }
  if (place) {
    keys.push(place.key);
    amounts.push(place.limit, place.id, Math.ceil(place.leaseMs * 1_000));
  }
  return connection.run(async (client) =>
    verdictOf(await client.tenantryTake(keys.length, ...keys, ...amounts), wishes),
  );
}

/** @throws TypeError if whoever has answered did not run the script: to clients that would be limits of `NaN` */
function verdictOf(
  reply: number | readonly number[],
  wishes: readonly Wish[],
): Verdict & { readonly refusedBy?: Refusal } {
  // Of a bucket that refuses, something is used: no request costs more than a whole one.
  const numbers: readonly number[] = typeof reply === 'number' ? [reply < 0 ? 0 : 1, Math.abs(reply)] : reply;
  if (!isListOfNumbers(numbers) || numbers.length !== wishes.length + 1)
    throw new TypeError('The server answers something else than the limiter asks for.');
  const [verdict, ...used] = numbers;
  const outcomes = wishes.map(({ bucket, costMicros }, at) => {
    const usedMicros = used[at] ?? 0;
    const waitMicros = verdict === 1 ? 0 : Math.max(usedMicros + costMicros - bucket.capacityMicros, 0);
    return { usedMicros, waitMicros };
  });
  if (verdict === 1) return { allowed: true, outcomes };
  return { allowed: false, outcomes, refusedBy: verdict === -1 ? 'concurrency' : 'rate' };
}

function isListOfNumbers(reply: unknown): reply is readonly number[] {
  return Array.isArray(reply) && reply.every(Number.isSafeInteger);
}

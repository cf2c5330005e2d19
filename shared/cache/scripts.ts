import type { Result } from 'ioredis';
import type { CacheClient } from './connection.ts';
import type { EntryKeys } from './keys.ts';

/**
 * What a look at an entry found:
 * - `fresh`: a value that is good
 * - `stale`: a value whose time is over, while somebody else loads a new one
 * - `claimed`: nothing, and whoever asked is now the one who loads it
 * - `busy`: nothing, and somebody else is loading it
 * - `absent`: nothing, and whoever asked did not want to load it
 */
export interface Look {
  readonly state: 'fresh' | 'stale' | 'claimed' | 'busy' | 'absent';
  readonly generation: string;
  /** Tells this value from the ones before and after it. */
  readonly id: string;
  readonly payload: string;
}

const states: ReadonlySet<unknown> = new Set<Look['state']>(['fresh', 'stale', 'claimed', 'busy', 'absent']);

type LookReply = [state: Look['state'], generation: string, id: string, payload: string];

declare module 'ioredis' {
  interface RedisCommander<Context> {
    tenantryLook(
      ...keysAndArguments: [...keys: [string, string, string], namespace: string, token: string, passOver: string]
    ): Result<LookReply, Context>;
    tenantryStore(
      ...keysAndArguments: [
        ...keys: [string, string, string],
        namespace: string,
        token: string,
        generation: string,
        freshMs: number,
        keptMs: number,
        payload: string,
      ]
    ): Result<number, Context>;
    tenantryRelease(claim: string, token: string): Result<number, Context>;
    tenantryRenew(generations: string, field: string): Result<number, Context>;
  }
}

/** How long a claim holds off others, whether whoever has it is at work or was killed. */
const claimMs = 1_000;
/** Whoever loads for longer may not store any more. No function that answers requests runs for so long. */
const longestLoadMs = 30_000;
/** Of the tokens of a claim, in characters: ten of them. */
const tokensKept = 370;

/** Generations outlive every value, and are gone some time after the last one. */
const generationsKeptMs = 2 * 24 * 3_600 * 1_000;

/**
 * Generations are times of the server in microseconds, and always later than the one before. A hash of generations that was lost, or evicted,
 * starts anew at a time that no entry can have: what is still there of its entries stays invalid.
 */
const generationsLua = `
local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
local function renew(field)
  local known = tonumber(redis.call('HGET', KEYS[1], field) or 0)
  local next = string.format('%.0f', math.max(micros, known + 1))
  redis.call('HSET', KEYS[1], field, next)
  redis.call('PEXPIRE', KEYS[1], ${generationsKeptMs})
  return next
end
`;

const currentLua = `
local generations = redis.call('HMGET', KEYS[1], 'tenant', ARGV[1])
local function current()
  return (generations[1] or '') .. '.' .. (generations[2] or '')
end
`;

/**
 * A claim is the moment until which it holds, the generation, and the tokens of all who have had it in a row, the last one first. What is loaded in a
 * generation that is over will not be stored: nobody waits for that, and its claim is no longer one. Whoever loads for longer than a claim holds may
 * store all the same, but one more caller may load.
 */
const lookLua = `${generationsLua}${currentLua}
local entry = redis.call('GET', KEYS[2])
local generation, id, payload
if entry then
  generation, id, payload = string.match(entry, '^([%d.]*)|(%d+)|(.*)$')
  if generation ~= current() or id == ARGV[3] then id = nil end
end
if id and tonumber(id) > micros then return { 'fresh', generation, id, payload } end
if ARGV[2] == '' then return { 'absent', current(), '', '' } end
local holds, loading, tokens = string.match(redis.call('GET', KEYS[3]) or '', '^(%d+)|([%d.]*)|(.*)$')
if loading ~= current() then holds, tokens = nil, '' end
if not holds or tonumber(holds) <= micros then
  if not generations[1] then generations[1] = renew('tenant') end
  local holding = string.format('%.0f', micros + ${claimMs * 1_000})
  tokens = string.sub(ARGV[2] .. ' ' .. tokens, 1, ${tokensKept})
  redis.call('SET', KEYS[3], holding .. '|' .. current() .. '|' .. tokens, 'PX', ${longestLoadMs})
  return { 'claimed', current(), '', '' }
end
if id then return { 'stale', generation, id, payload } end
return { 'busy', current(), '', '' }
`;

/**
 * Nothing is stored for a generation that is over, or for who has lost the claim because of what was stored or deleted meanwhile: the value may be
 * older than what made it so.
 */
const storeLua = `${generationsLua}${currentLua}
if ARGV[2] ~= '' then
  local loading, tokens = string.match(redis.call('GET', KEYS[3]) or '', '^%d+|([%d.]*)|(.*)$')
  if loading ~= ARGV[3] or not string.find(tokens, ARGV[2], 1, true) then return 0 end
end
redis.call('DEL', KEYS[3])
if ARGV[3] ~= '' and ARGV[3] ~= current() then return 0 end
if not generations[1] then generations[1] = renew('tenant') end
local id = string.format('%.0f', micros + tonumber(ARGV[4]) * 1000)
redis.call('SET', KEYS[2], current() .. '|' .. id .. '|' .. ARGV[6], 'PX', ARGV[5])
redis.call('PEXPIRE', KEYS[1], ${generationsKeptMs})
return 1
`;

/** The claim is anybody's then. Others who had it before do not store any more, which costs no more than a load. */
const releaseLua = `
if not string.find(redis.call('GET', KEYS[1]) or '', ARGV[1], 1, true) then return 0 end
return redis.call('DEL', KEYS[1])
`;

/** Where there is no memory for a new generation, there is enough to forget all of the tenant's, which makes as much invalid, and more. */
const renewLua = `${generationsLua}
if pcall(renew, ARGV[1]) then return 1 end
return redis.call('DEL', KEYS[1])
`;

/** Teaches the client the scripts. Every key that one touches is declared, as clusters demand. */
export function defineCacheScripts(client: CacheClient): void {
  client.defineCommand('tenantryLook', { numberOfKeys: 3, lua: lookLua });
  client.defineCommand('tenantryStore', { numberOfKeys: 3, lua: storeLua });
  client.defineCommand('tenantryRelease', { numberOfKeys: 1, lua: releaseLua });
  client.defineCommand('tenantryRenew', { numberOfKeys: 1, lua: renewLua });
}

/**
 * Looks at an entry, in one round trip.
 *
 * @param options `token` claims the entry when there is nothing good; without one nothing is claimed. `passOver` is the id of a value that is
 *   of no use
 * @throws TypeError if whoever has answered did not run the script
 */
export async function look(
  client: CacheClient,
  { generations, entry, claim }: EntryKeys,
  namespace: string,
  { token = '', passOver = '' }: { readonly token?: string | undefined; readonly passOver?: string | undefined },
): Promise<Look> {
  const reply = await client.tenantryLook(generations, entry, claim, namespace, token, passOver);
  if (!Array.isArray(reply) || !states.has(reply[0]) || !reply.every((part) => typeof part === 'string'))
    throw new TypeError('The server answers something else than the cache asks for.');
  const [state, generation, id, payload] = reply;
  return { state, generation, id, payload };
}

/** The right to load a value, and the generation in which that began. */
export interface Claim {
  readonly token: string;
  readonly generation: string;
}

interface Storing {
  readonly namespace: string;
  /** Under which the value was loaded; of one that is simply set: none. */
  readonly claim: Claim | undefined;
  readonly freshMs: number;
  readonly keptMs: number;
  readonly payload: string;
}

/** @returns whether it was stored */
export async function store(
  client: CacheClient,
  { generations, entry, claim }: EntryKeys,
  { namespace, claim: held, freshMs, keptMs, payload }: Storing,
): Promise<boolean> {
  const { token = '', generation = '' } = held ?? {};
  const keys = [generations, entry, claim] as const;
  return (await client.tenantryStore(...keys, namespace, token, generation, freshMs, keptMs, payload)) === 1;
}

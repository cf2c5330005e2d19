import type { CacheConnection } from './connection.ts';

/**
 * The generation of what the cache knows of a tenant as such. It only grows, also where the key was lost meanwhile, so it is the server's
 * time unless that was set back.
 */
const lua = `
local time = redis.call('TIME')
local old = tonumber(redis.call('HGET', KEYS[1], 'tenant') or 0)
redis.call('HSET', KEYS[1], 'tenant', string.format('%.0f', math.max(old + 1, time[1] * 1000000 + time[2])))
`;

/**
 * Makes everybody look anew at what the cache knows of a tenant, by one command.
 *
 * @throws CacheUnavailableError
 */
export async function invalidateTenantCache(connection: CacheConnection, tenantId: string): Promise<void> {
  await connection.run((client) => client.eval(lua, 1, `t:{${tenantId}}:generations`));
}

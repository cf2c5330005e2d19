import type { CacheConnection } from './connection.ts';
import { generationsKey } from './keys.ts';
import { defineCacheScripts } from './scripts.ts';

/**
 * Makes all values of a tenant's cache invalid, in one round trip however many they are: for who is not in a request of the tenant.
 *
 * @throws CacheUnavailableError
 */
export async function invalidateTenantCache(connection: CacheConnection, tenantId: string): Promise<void> {
  defineCacheScripts(connection.client);
  await connection.run((client) => client.tenantryRenew(generationsKey(tenantId), 'tenant'));
}

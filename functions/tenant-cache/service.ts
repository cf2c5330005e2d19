import * as z from 'zod';
import { type CacheConnection, countTenantKeys, type KeysFound, purgeTenantKeys } from '../../shared/cache/index.ts';
import { tenantIdSchema } from '../../shared/tenancy/index.ts';

const eventSchema = z.strictObject({ tenantId: tenantIdSchema, action: z.enum(['purge', 'count']) });

/**
 * Deletes or counts the keys that a tenant has in the cache.
 *
 * @param deadline milliseconds since the epoch; what is not done by then is for the next call to do
 * @throws ZodError for an event of another shape; CacheUnavailableError; Error if counting did not end in time
 */
export async function serveTenantCache(
  event: unknown,
  connection: CacheConnection,
  deadline: number,
): Promise<KeysFound> {
  const { tenantId, action } = eventSchema.parse(event);
  if (action === 'purge') return purgeTenantKeys(connection, tenantId, deadline);
  const counted = await countTenantKeys(connection, tenantId, deadline);
  if (counted.done) return counted;
  throw new Error('The cache has more keys than can be looked at in the time of a call. Give the function more time.');
}

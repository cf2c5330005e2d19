import * as z from 'zod';
import {
  type CacheConnection,
  countTenantKeys,
  invalidateTenantCache,
  type KeysFound,
  purgeTenantKeys,
} from '../../shared/cache/index.ts';
import { eventSource } from '../../shared/contract/index.ts';
import { forgetUse } from '../../shared/rate-limit/index.ts';
import { tenantIdSchema } from '../../shared/tenancy/index.ts';

const requestSchema = z.strictObject({ tenantId: tenantIdSchema, action: z.enum(['purge', 'count']) });

/** An event of the control plane, as EventBridge delivers it. Which ones come is for its rule to say. */
const changeSchema = z
  .object({ source: z.literal(eventSource), detail: z.object({ tenantId: tenantIdSchema }) })
  .transform(({ detail: { tenantId } }) => ({ tenantId, action: 'invalidate' as const }));

const eventSchema = z.union([requestSchema, changeSchema]);

/**
 * Deletes or counts the keys that a tenant has in the cache; or, told that the tenant is another now, makes what is in there void, and forgets
 * what the tenant has used of its limits.
 *
 * @param deadline milliseconds since the epoch; what is not done by then is for the next call to do
 * @returns nothing for an event, for whose answer nobody waits
 * @throws ZodError for an event of another shape; CacheUnavailableError; Error if counting did not end in time
 */
export async function serveTenantCache(
  event: unknown,
  connection: CacheConnection,
  deadline: number,
): Promise<KeysFound | undefined> {
  const { tenantId, action } = eventSchema.parse(event);
  switch (action) {
    case 'invalidate':
      await invalidateTenantCache(connection, tenantId);
      await forgetUse(connection, tenantId);
      return undefined;
    case 'purge':
      return purgeTenantKeys(connection, tenantId, deadline);
    case 'count': {
      const counted = await countTenantKeys(connection, tenantId, deadline);
      if (counted.done) return counted;
      throw new Error(
        'The cache has more keys than can be looked at in the time of a call. Give the function more time.',
      );
    }
  }
}

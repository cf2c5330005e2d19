import * as z from 'zod';
import { cachedLookUp, type CacheConnection, cacheNamespace } from '../cache/index.ts';
import { type FindTenant, placementSchema, planSchema, tenantIdSchema, tenantLimitsSchema } from '../tenancy/index.ts';

/** All that a request needs to know. The API key is nobody's business but the gateway's. */
const tenant = z.object({
  tenantId: tenantIdSchema,
  plan: planSchema,
  limits: tenantLimitsSchema.nullable(),
  state: z.string(),
  placement: placementSchema,
  apiKey: z.null(),
});

const tenants = cacheNamespace('tenants', { schema: tenant, ttlSeconds: 60 });

/**
 * The registry's look-up for set-ups without the authorizer, which have it with every request: once a minute for each tenant, and after each event that
 * says that the tenant is another now. Until that has come a suspended tenant is not refused here, but each of its statements is, by the database.
 *
 * @example tenantApi(api, handlers, { resolveTenant: fromHeader({ findTenant: cachedTenants(connection, findTenant), signingKey }) });
 */
export function cachedTenants(connection: CacheConnection, findTenant: FindTenant): FindTenant {
  return cachedLookUp(connection, tenants, async (tenantId) => {
    const found = await findTenant(tenantId);
    return found && { ...found, apiKey: null };
  });
}

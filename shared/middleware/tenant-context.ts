import { enterTenant, type TenantResolver } from '../tenancy/index.ts';
import type { ApiMiddleware } from './api-event.ts';

/**
 * Sets the tenant of the request, for everything that runs until its answer: `currentTenant()` then returns it.
 *
 * @param resolve where the tenant is taken from: `fromAuthorizer()`, `fromHeader(…)` or `fromSubdomain(…)` of shared/tenancy
 */
export function tenantContext(resolve: TenantResolver): ApiMiddleware {
  return {
    before: async ({ event }) => {
      enterTenant(await resolve(event));
    },
  };
}

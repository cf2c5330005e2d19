import { recordImpersonatedUse } from '../database/index.ts';
import { requestIdOf } from '../http/index.ts';
import { enterTenant, type TenantResolver } from '../tenancy/index.ts';
import type { ApiMiddleware } from './api-event.ts';

/**
 * Sets the tenant of the request, for everything that runs until its answer: `currentTenant()` then returns it. When it is an operator who
 * acts for the tenant, that is written to the audit log first: what cannot be recorded is not done.
 *
 * @param resolve where the tenant is taken from: `fromAuthorizer()`, `fromHeader(…)` or `fromSubdomain(…)` of shared/tenancy
 * @throws AppError token-expired when the impersonation is over; DatabaseError when the use cannot be recorded
 */
export function tenantContext(resolve: TenantResolver): ApiMiddleware {
  return {
    before: async ({ event }) => {
      const tenant = await resolve(event);
      enterTenant(tenant);
      if (!tenant.impersonation) return;
      const { httpMethod: method, resource: route, requestContext } = event;
      await recordImpersonatedUse({ method, route, requestId: requestIdOf(requestContext) });
    },
  };
}

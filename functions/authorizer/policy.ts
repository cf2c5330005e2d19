import type { APIGatewayAuthorizerResult } from 'aws-lambda';
import { allowStage, jsonContent } from '../../shared/authorizer/index.ts';
import { authorizerContextKeys as keys } from '../../shared/contract/index.ts';
import type { TenantContext } from '../../shared/tenancy/index.ts';

/** Lets somebody in who acts for a tenant, and tells the functions whom they act for. */
export function allow(methodArn: string, tenant: TenantContext, apiKey: string | null): APIGatewayAuthorizerResult {
  const context = {
    [keys.tenantId]: tenant.tenantId,
    [keys.plan]: tenant.plan,
    [keys.placement]: JSON.stringify(tenant.placement),
    ...(tenant.limits && { [keys.limits]: JSON.stringify(tenant.limits) }),
    [keys.userId]: tenant.userId,
    [keys.roles]: tenant.roles.join(' '),
    [keys.capability]: tenant.capability,
    ...(tenant.impersonation && {
      [keys.actor]: jsonContent(tenant.impersonation.actor),
      [keys.impersonationId]: tenant.impersonation.id,
    }),
  };
  const answer = allowStage(methodArn, tenant.userId, context);
  return apiKey === null ? answer : { ...answer, usageIdentifierKey: apiKey };
}

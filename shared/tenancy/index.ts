export { capabilityClaims, mintCapability, type SigningKey } from './capability.ts';
export {
  currentOperator,
  currentTenant,
  currentTenantIfAny,
  enterOperator,
  enterTenant,
  NoTenantContextError,
  type OperatorContext,
  runInTenantScope,
  runWithTenant,
  type TenantContext,
} from './context.ts';
export {
  type FindImpersonation,
  hashImpersonationToken,
  type Impersonation,
  isForImpersonation,
  newImpersonationToken,
  type RegisteredImpersonation,
} from './impersonation.ts';
export type { FindTenant, RegisteredTenant } from './registered-tenant.ts';
export { fromAuthorizer } from './resolvers/from-authorizer.ts';
export { fromHeader, fromSubdomain } from './resolvers/from-request.ts';
export type { TenantResolver } from './resolvers/resolver.ts';
export { loadSigningKey, parseSigningKeys } from './signing-keys.ts';
export {
  type Placement,
  placementSchema,
  planSchema,
  tenantIdPattern,
  tenantIdSchema,
  tenantLimitsSchema,
} from './tenant.ts';

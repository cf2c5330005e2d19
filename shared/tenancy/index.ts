export { mintCapability, type SigningKey } from './capability.ts';
export { currentTenant, NoTenantContextError, runWithTenant, type TenantContext } from './context.ts';
export { type Placement, placementSchema, planSchema, tenantIdPattern, tenantIdSchema } from './tenant.ts';

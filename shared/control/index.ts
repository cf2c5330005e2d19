/** The registry, for the control plane: it logs in as the role that may write there and reads no tenant's data. */
export { type ManagedTenant, managedTenantSchema } from './managed-tenant.ts';
export { listTenants, readTenant, type TenantFilter } from './tenants.ts';

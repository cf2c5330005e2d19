/** The registry, for the control plane: it logs in as the role that may write there and reads no tenant's data. */
export type { ApiKeys } from './api-keys.ts';
export { type AuditEntry, auditEntrySchema, type AuditPosition, listAuditEntries } from './audit-log.ts';
export {
  beginImpersonation,
  type BegunImpersonation,
  endImpersonation,
  type ImpersonationRequest,
} from './impersonations.ts';
export { type ManagedTenant, managedTenantSchema } from './managed-tenant.ts';
export { listTenants, readTenant, type TenantFilter } from './tenants.ts';
export { readOperation } from './operations.ts';
export { abandonOperation, endOperation, markStep, startOperation } from './operations-progress.ts';
export {
  type KnownKind,
  type Operation,
  type OperationError,
  type OperationInput,
  operationInputs,
  type StepState,
  type TenantRecord,
} from './operations-schema.ts';
export {
  forgetTenant,
  placeTenant,
  registerTenant,
  removePlacement,
  setTenantApiKey,
  setTenantPlan,
  setTenantState,
} from './operations-tenants.ts';

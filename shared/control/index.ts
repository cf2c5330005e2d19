/** The registry, for the control plane: it logs in as the role that may write there and reads no tenant's data. */
export { type ApiKeys, apiKeysOf } from './api-keys.ts';
export { flushAuthorizerCache } from './authorizer-cache.ts';
export { type AuditEntry, auditEntrySchema, type AuditPosition, listAuditEntries } from './audit-log.ts';
export {
  beginImpersonation,
  type BegunImpersonation,
  endImpersonation,
  type ImpersonationRequest,
} from './impersonations.ts';
export { beginMigrationRun, failMigrationRun, type MigrationRunRequest, readMigrationRun } from './migration-runs.ts';
export { type ManagedTenant, managedTenantSchema } from './managed-tenant.ts';
export { recordStatement, type TypedStatement } from './statements.ts';
export { type Quota, quotaSchema } from './quota-counts.ts';
export { readQuotas } from './quotas.ts';
export { chooseCluster } from './choose-cluster.ts';
export { requireFreeId } from './tenant-ids.ts';
export { countTenants, listTenants, readTenant, type TenantFilter } from './tenants.ts';
export {
  createOperation,
  isKeyKnown,
  listOperations,
  type OperationFilter,
  type OperationRequest,
  readOperation,
} from './operations.ts';
export { type OperationStarter, operationStarterOf } from './operation-starter.ts';
export { type ExportStore, exportStoreIn } from './export-store.ts';
export {
  abandonOperation,
  endOperation,
  markStep,
  reportProgress,
  startOperation,
  unregisterTenant,
} from './operations-progress.ts';
export {
  exportPrefix,
  type KnownKind,
  type Operation,
  type OperationError,
  type OperationInput,
  operationInputs,
  operationSchema,
  operationStates,
  type StepState,
  type TenantRecord,
} from './operations-schema.ts';
export {
  forgetTenant,
  registerTenant,
  requireTurn,
  setTenantApiKey,
  setTenantLimits,
  setTenantLogin,
  setTenantName,
  setTenantPlan,
  setTenantState,
  type Turn,
} from './operations-tenants.ts';
export { type EventBus, eventBusOf, type FailedEvent } from './event-bus.ts';
export { type EventPublishing, eventPublishingOf } from './event-publishing.ts';
export {
  type Claim,
  claimEvents,
  oldestUnpublishedSeconds,
  type OutboxEvent,
  type PublishOutcome,
  settleEvents,
} from './outbox.ts';
export { claimUntouchedOperations, oldestUnfinishedSeconds, type UntouchedOperation } from './unfinished-operations.ts';
export { type TenantCache, tenantCacheVia } from './tenant-cache.ts';
export {
  type FoundRows,
  type HomeInTurn,
  type RowsPosition,
  type RowTable,
  rowTableSchema,
  type TenantHome,
  type TenantRows,
  tenantRows,
} from './tenant-rows.ts';
export { type RowsSnapshot, rowsViewSchema } from './rows-view.ts';
export { type TenantSecrets, tenantSecretsOf } from './tenant-secrets.ts';
export { type TenantDatabases, tenantDatabasesVia } from './tenant-databases.ts';
export { type TenantHomes, tenantHomes } from './tenant-homes.ts';

/**
 * The one way to tenants' data. What is exported here acts for the tenant of the current request, or reads the registry by a fixed
 * statement; there is no export that reaches an unscoped client, and none may be added.
 */
export type { BatchResults } from './batch.ts';
export type { ClusterLogin, DatabaseConfig } from './config.ts';
export { DatabaseError } from './database-error.ts';
export { rollbackMs, withDeadline } from './deadline.ts';
export { findImpersonation, findTenant } from './find-tenant.ts';
export { json, JsonText } from './json-text.ts';
export { type ReadLimits, readText, type TextRows } from './read-text.ts';
export { type ImpersonatedUse, recordImpersonatedUse } from './record-impersonated-use.ts';
export { TenantScopeError } from './scope-error.ts';
export type { PlacementMemory } from './router.ts';
export { sharePlacements, type TenantDatabase, tenantDatabase } from './tenant-database.ts';
export { type Tables, tables } from './tables.ts';

import {
  abandonOperation,
  type ApiKeys,
  endOperation,
  type ExportStore,
  forgetTenant,
  markStep,
  readOperation,
  registerTenant,
  reportProgress,
  requireTurn,
  setTenantApiKey,
  setTenantLimits,
  setTenantLogin,
  setTenantName,
  setTenantPlan,
  setTenantState,
  startOperation,
  type TenantCache,
  type TenantDatabases,
  type TenantHomes,
  tenantHomes,
  type TenantRows,
  type TenantSecrets,
  tenantRows,
  unregisterTenant,
} from '../../shared/control/index.ts';

/** The API that tenants call. */
export interface Gateway {
  /** Makes API Gateway ask the authorizer anew for every token. */
  flushAuthorizersCache(): Promise<void>;
}

/** The registry, as operations use it. */
export const registry = {
  read: readOperation,
  start: startOperation,
  mark: markStep,
  report: reportProgress,
  requireTurn,
  abandon: abandonOperation,
  end: endOperation,
  register: registerTenant,
  forget: forgetTenant,
  unregister: unregisterTenant,
  setState: setTenantState,
  setPlan: setTenantPlan,
  setLimits: setTenantLimits,
  setName: setTenantName,
  setApiKey: setTenantApiKey,
  setLogin: setTenantLogin,
};

/** Where tenants live. */
export const homes: TenantHomes = tenantHomes;

/** Rows of tenants. */
export const rows: TenantRows = tenantRows;

/** All that operations change. */
export interface Ports {
  readonly registry: typeof registry;
  readonly homes: TenantHomes;
  /** `tenantDatabasesVia`. */
  readonly databases: TenantDatabases;
  readonly apiKeys: ApiKeys;
  readonly gateway: Gateway;
  readonly rows: TenantRows;
  /** Files of exports: `exportStoreIn`. */
  readonly exports: ExportStore;
  /** `tenantCacheVia`. */
  readonly cache: TenantCache;
  /** `tenantSecretsOf`. */
  readonly secrets: TenantSecrets;
}

export type { ApiEvent } from './api-event.ts';
export { cachedTenants } from './cached-tenants.ts';
export { operatorApi } from './operator-api.ts';
export { problemDetails } from './problem-details.ts';
export { publicApi } from './public-api.ts';
export { responseHeaders } from './response-headers.ts';
export type { ApiHandler } from './serve.ts';
export { tenantApi, type TenantApiOptions } from './tenant-api.ts';
export { tenantContext } from './tenant-context.ts';

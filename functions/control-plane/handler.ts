import { operatorApi } from '../../shared/middleware/index.ts';
import { controlPlaneDocument } from './document.ts';
import { endImpersonation, impersonate } from './impersonations.ts';
import { controlPlaneApi } from './schema.ts';
import { getTenant, listAuditEntries, listTenants } from './service.ts';

const document = { ...controlPlaneDocument() };

export const handler = operatorApi(controlPlaneApi, {
  'GET /tenants': ({ query }) => listTenants(query),
  'GET /tenants/{tenantId}': ({ path }) => getTenant(path.tenantId),
  'POST /tenants/{tenantId}/impersonate': ({ path, body }) => impersonate(path.tenantId, body),
  'DELETE /tenants/{tenantId}/impersonations/{impersonationId}': ({ path }) =>
    endImpersonation(path.tenantId, path.impersonationId),
  'GET /audit-log': ({ query }) => listAuditEntries(query),
  'GET /openapi.json': () => document,
});

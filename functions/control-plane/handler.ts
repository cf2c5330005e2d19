import { operatorApi } from '../../shared/middleware/index.ts';
import { controlPlaneDocument } from './document.ts';
import { controlPlaneApi } from './schema.ts';
import { getTenant, listAuditEntries, listTenants } from './service.ts';

const document = { ...controlPlaneDocument() };

export const handler = operatorApi(controlPlaneApi, {
  'GET /tenants': ({ query }) => listTenants(query),
  'GET /tenants/{tenantId}': ({ path }) => getTenant(path.tenantId),
  'GET /audit-log': ({ query }) => listAuditEntries(query),
  'GET /openapi.json': () => document,
});

import { LambdaClient } from '@aws-sdk/client-lambda';
import { loadConfig } from '../../shared/config/index.ts';
import { quotaLimits } from '../../shared/contract/index.ts';
import { operationStarterOf, readQuotas } from '../../shared/control/index.ts';
import { handOver } from '../../shared/fleet/index.ts';
import { operatorApi } from '../../shared/middleware/index.ts';
import { controlPlaneDocument } from './document.ts';
import { endImpersonation, impersonate } from './impersonations.ts';
import { changeLimits } from './limits.ts';
import { getMigrationRun, migrate } from './migrations.ts';
import { getOperation, listOperations, onboard, requestOperation } from './operations.ts';
import { previewPlacement } from './placement.ts';
import { controlPlaneApi } from './schema.ts';
import { getTenant, listAuditEntries, listTenants } from './service.ts';

const {
  operationsFunctionArn,
  fleetFunctionArn,
  migrationFunctionArn: functionName,
  quotaLimits: raised,
  clusterCapacity: clusters,
} = loadConfig('operationsFunctionArn', 'fleetFunctionArn', 'migrationFunctionArn', 'quotaLimits', 'clusterCapacity');
const lambda = new LambdaClient();
const starter = operationStarterOf(lambda, operationsFunctionArn);
const limits = { ...quotaLimits, ...raised };
const document = { ...controlPlaneDocument() };

export const handler = operatorApi(controlPlaneApi, {
  'GET /tenants': ({ query }) => listTenants(query),
  'POST /tenants': ({ body, idempotencyKey }) => onboard(body, idempotencyKey, { starter, clusters }),
  'GET /placement': ({ query }) => previewPlacement(query, clusters),
  'GET /tenants/{tenantId}': ({ path }) => getTenant(path.tenantId),
  'POST /tenants/{tenantId}/change-plan': ({ path: { tenantId }, body: input, idempotencyKey }) =>
    requestOperation({ kind: 'change-plan', tenantId, input, idempotencyKey }, starter),
  'POST /tenants/{tenantId}/change-limits': ({ path, body, idempotencyKey }) =>
    changeLimits(path.tenantId, body, idempotencyKey, starter),
  'POST /tenants/{tenantId}/rename': ({ path: { tenantId }, body: input, idempotencyKey }) =>
    requestOperation({ kind: 'rename', tenantId, input, idempotencyKey }, starter),
  'POST /tenants/{tenantId}/suspend': ({ path: { tenantId }, idempotencyKey }) =>
    requestOperation({ kind: 'suspend', tenantId, input: {}, idempotencyKey }, starter),
  'POST /tenants/{tenantId}/activate': ({ path: { tenantId }, idempotencyKey }) =>
    requestOperation({ kind: 'activate', tenantId, input: {}, idempotencyKey }, starter),
  'POST /tenants/{tenantId}/export': ({ path: { tenantId }, idempotencyKey }) =>
    requestOperation({ kind: 'export', tenantId, input: {}, idempotencyKey }, starter),
  'POST /tenants/{tenantId}/offboard': ({ path: { tenantId }, body: input, idempotencyKey }) =>
    requestOperation({ kind: 'offboard', tenantId, input, idempotencyKey }, starter),
  'GET /operations': ({ query }) => listOperations(query),
  'GET /operations/{operationId}': ({ path }) => getOperation(path.operationId),
  'GET /migrations': () => getMigrationRun(),
  'POST /migrations': ({ idempotencyKey }) =>
    migrate(idempotencyKey, (progress) => handOver(lambda, { fleetFunctionArn, functionName }, progress)),
  'GET /migrations/{runId}': ({ path }) => getMigrationRun(path.runId),
  'POST /tenants/{tenantId}/impersonate': ({ path, body }) => impersonate(path.tenantId, body),
  'DELETE /tenants/{tenantId}/impersonations/{impersonationId}': ({ path }) =>
    endImpersonation(path.tenantId, path.impersonationId),
  'GET /audit-log': ({ query }) => listAuditEntries(query),
  'GET /quotas': async () => ({
    items: await readQuotas(limits, Object.keys(clusters)),
  }),
  'GET /openapi.json': () => document,
});

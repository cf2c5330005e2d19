import * as z from 'zod';
import { tenantStates } from '../../shared/contract/index.ts';
import {
  auditEntrySchema,
  type AuditPosition,
  managedTenantSchema,
  operationInputs,
  operationSchema,
  operationStates,
  quotaSchema,
} from '../../shared/control/index.ts';
import { fleetRunSchema } from '../../shared/fleet/index.ts';
import {
  describeOperatorApi,
  id,
  pageOf,
  pageQuery,
  pageQueryAt,
  pageQueryBy,
  type RouteDescription,
} from '../../shared/http/index.ts';
import { placementSchema, planSchema, tenantIdSchema } from '../../shared/tenancy/index.ts';
import { begunImpersonation, newImpersonation } from './new-impersonation.ts';
import { newTenant, placementQuery } from './new-tenant.ts';

const tenant = managedTenantSchema.meta({ id: 'Tenant' });
const operation = operationSchema.meta({ id: 'Operation' });
const migrationRun = fleetRunSchema.meta({ id: 'MigrationRun' });

const tenantsQuery = z.strictObject({
  ...pageQueryBy(tenantIdSchema),
  plan: planSchema.optional(),
  state: z.enum(tenantStates).optional(),
  model: placementSchema.shape.model.optional().meta({ description: 'How strongly the tenant’s data is set apart.' }),
  cluster: placementSchema.shape.cluster.optional().meta({ description: 'The cluster that the tenant lives on.' }),
});
export type TenantsQuery = z.output<typeof tenantsQuery>;

const operationsQuery = z.strictObject({
  ...pageQuery,
  tenantId: tenantIdSchema.optional(),
  state: z.enum(operationStates).optional(),
});
export type OperationsQuery = z.output<typeof operationsQuery>;

const newLimit = (what: string) =>
  z
    .int()
    .min(1)
    .nullish()
    .meta({ description: `${what}. As in the plan if left out or null.` });

const newLimits = z.strictObject({
  requestsPerMinute: newLimit('Sustained requests a minute'),
  burst: newLimit('Requests that may come at once on top of the sustained rate'),
  concurrentRequests: newLimit('Requests that may be under way at the same time'),
});
export type NewLimits = z.output<typeof newLimits>;

const path = z.object({ tenantId: tenantIdSchema });

/** Done by and by: the answer is an operation, whose progress can be asked for. */
const asOperation = {
  status: 202,
  response: operation,
  location: '/operations/{id}',
  idempotent: true,
} as const satisfies Partial<RouteDescription>;
const onTenant = {
  ...asOperation,
  path,
  errors: ['not-found', 'operation-in-progress', 'constraint-violated'],
} as const;

const auditQuery = z.strictObject({
  ...pageQueryAt<AuditPosition>(z.tuple([z.int().min(1)])),
  tenantId: tenantIdSchema
    .optional()
    .meta({ description: 'The tenant whose history it is. That of all tenants if left out.' }),
});
export type AuditQuery = z.output<typeof auditQuery>;

export const controlPlaneApi = describeOperatorApi('control-plane', {
  'GET /tenants': {
    summary: 'List tenants, oldest first',
    query: tenantsQuery,
    response: pageOf(tenant),
  },
  'POST /tenants': {
    ...asOperation,
    summary: 'Onboard a tenant',
    body: newTenant,
    errors: ['tenant-exists', 'tenant-id-used', 'operation-in-progress', 'export-unusable', 'no-capacity'],
  },
  'GET /placement': {
    summary: 'See where a new tenant would live, or why there can be none',
    query: placementQuery,
    response: managedTenantSchema.shape.placement,
    errors: ['tenant-exists', 'tenant-id-used', 'no-capacity'],
  },
  'GET /tenants/{tenantId}': {
    summary: 'Get a tenant',
    path,
    response: tenant,
    errors: ['not-found'],
  },
  'POST /tenants/{tenantId}/change-plan': {
    ...onTenant,
    summary: 'Change what a tenant may use',
    body: operationInputs['change-plan'],
  },
  'POST /tenants/{tenantId}/change-limits': {
    ...onTenant,
    summary: 'Let a tenant do less than its plan grants, or as much again',
    body: newLimits,
    errors: [...onTenant.errors, 'limits-above-plan'],
  },
  'POST /tenants/{tenantId}/rename': {
    ...onTenant,
    summary: 'Change what people call a tenant; its id stays',
    body: operationInputs.rename,
  },
  'POST /tenants/{tenantId}/suspend': { ...onTenant, summary: 'Refuse a tenant service, and keep its data' },
  'POST /tenants/{tenantId}/activate': { ...onTenant, summary: 'Serve a suspended tenant again' },
  'POST /tenants/{tenantId}/export': { ...onTenant, summary: 'Export all rows of a tenant' },
  'POST /tenants/{tenantId}/offboard': {
    ...onTenant,
    summary: 'Erase a tenant for good, after exporting it unless told not to',
    body: operationInputs.offboard,
  },
  'GET /operations': {
    summary: 'List operations, newest first',
    query: operationsQuery,
    response: pageOf(operation),
  },
  'GET /operations/{operationId}': {
    summary: 'Get an operation',
    path: z.object({ operationId: id }),
    response: operation,
    errors: ['not-found'],
  },
  'GET /migrations': {
    summary: 'See how the last run of migrations goes, or went',
    response: migrationRun,
    errors: ['not-found'],
  },
  'POST /migrations': {
    summary: 'Migrate what is not on the newest version, in all placements, with the files that are deployed',
    status: 202,
    response: migrationRun,
    location: '/migrations/{id}',
    idempotent: true,
    errors: ['migration-in-progress', 'migration-not-started'],
  },
  'GET /migrations/{runId}': {
    summary: 'Get a run of migrations',
    path: z.object({ runId: id }),
    response: migrationRun,
    errors: ['not-found'],
  },
  'POST /tenants/{tenantId}/impersonate': {
    summary: 'Get a token to act for a tenant, each use of which is in the audit log',
    path,
    body: newImpersonation,
    status: 201,
    response: begunImpersonation,
    errors: ['not-found', 'constraint-violated'],
  },
  'DELETE /tenants/{tenantId}/impersonations/{impersonationId}': {
    summary: 'End an impersonation before its time',
    path: z.object({ tenantId: tenantIdSchema, impersonationId: id }),
    status: 204,
    errors: ['not-found'],
  },
  'GET /audit-log': {
    summary: 'List what operators have done, the latest first',
    query: auditQuery,
    response: pageOf(auditEntrySchema.meta({ id: 'AuditEntry' })),
  },
  'GET /quotas': {
    summary: 'See how much room is left, and until when',
    response: z.object({ items: z.array(quotaSchema.meta({ id: 'Quota' })) }),
  },
  'GET /openapi.json': {
    summary: 'This document',
    response: z.looseObject({ openapi: z.string() }).meta({ description: 'An OpenAPI 3.1 document.' }),
  },
});

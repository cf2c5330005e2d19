import * as z from 'zod';
import { tenantStates } from '../../shared/contract/index.ts';
import { managedTenantSchema, operationInputs, operationSchema, operationStates } from '../../shared/control/index.ts';
import { describeOperatorApi, pageOf, pageQuery, pageQueryBy, type RouteDescription } from '../../shared/http/index.ts';
import { placementSchema, planSchema, tenantIdSchema } from '../../shared/tenancy/index.ts';

const tenant = managedTenantSchema.meta({ id: 'Tenant' });
const operation = operationSchema.meta({ id: 'Operation' });

const tenantsQuery = z.strictObject({
  ...pageQueryBy(tenantIdSchema),
  plan: planSchema.optional(),
  state: z.enum(tenantStates).optional(),
  model: placementSchema.shape.model.optional().meta({ description: 'How strongly the tenant’s data is set apart.' }),
});
export type TenantsQuery = z.output<typeof tenantsQuery>;

const operationsQuery = z.strictObject({
  ...pageQuery,
  tenantId: tenantIdSchema.optional(),
  state: z.enum(operationStates).optional(),
});
export type OperationsQuery = z.output<typeof operationsQuery>;

const newTenant = z.strictObject({
  tenantId: tenantIdSchema,
  name: operationInputs.onboard.shape.name,
  plan: planSchema,
});

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
    errors: ['tenant-exists', 'operation-in-progress'],
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
  'POST /tenants/{tenantId}/suspend': { ...onTenant, summary: 'Refuse a tenant service, and keep its data' },
  'POST /tenants/{tenantId}/activate': { ...onTenant, summary: 'Serve a suspended tenant again' },
  'GET /operations': {
    summary: 'List operations, newest first',
    query: operationsQuery,
    response: pageOf(operation),
  },
  'GET /operations/{operationId}': {
    summary: 'Get an operation',
    path: z.object({ operationId: z.uuid() }),
    response: operation,
    errors: ['not-found'],
  },
  'GET /openapi.json': {
    summary: 'This document',
    response: z.looseObject({ openapi: z.string() }).meta({ description: 'An OpenAPI 3.1 document.' }),
  },
});

import * as z from 'zod';
import { tenantStates } from '../../shared/contract/index.ts';
import { auditEntrySchema, type AuditPosition, managedTenantSchema } from '../../shared/control/index.ts';
import { describeOperatorApi, pageOf, pageQueryAt, pageQueryBy } from '../../shared/http/index.ts';
import { placementSchema, planSchema, tenantIdSchema } from '../../shared/tenancy/index.ts';

const tenant = managedTenantSchema.meta({ id: 'Tenant' });

const tenantsQuery = z.strictObject({
  ...pageQueryBy(tenantIdSchema),
  plan: planSchema.optional(),
  state: z.enum(tenantStates).optional(),
  model: placementSchema.shape.model.optional().meta({ description: 'How strongly the tenant’s data is set apart.' }),
});
export type TenantsQuery = z.output<typeof tenantsQuery>;

const auditQuery = z.strictObject({
  ...pageQueryAt<AuditPosition>(z.tuple([z.int().min(1)])),
  tenantId: tenantIdSchema
    .optional()
    .meta({ description: 'The tenant whose history it is. That of all tenants if left out.' }),
});
export type AuditQuery = z.output<typeof auditQuery>;

const path = z.object({ tenantId: tenantIdSchema });

export const controlPlaneApi = describeOperatorApi('control-plane', {
  'GET /tenants': {
    summary: 'List tenants, oldest first',
    query: tenantsQuery,
    response: pageOf(tenant),
  },
  'GET /tenants/{tenantId}': {
    summary: 'Get a tenant',
    path,
    response: tenant,
    errors: ['not-found'],
  },
  'GET /audit-log': {
    summary: 'List what operators have done, the latest first',
    query: auditQuery,
    response: pageOf(auditEntrySchema.meta({ id: 'AuditEntry' })),
  },
  'GET /openapi.json': {
    summary: 'This document',
    response: z.looseObject({ openapi: z.string() }).meta({ description: 'An OpenAPI 3.1 document.' }),
  },
});

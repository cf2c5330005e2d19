import * as z from 'zod';
import { tenantStates } from '../contract/index.ts';
import { timestamp } from '../http/index.ts';
import { placementSchema, planSchema, tenantIdSchema, tenantLimitsSchema } from '../tenancy/index.ts';

/** A tenant as operators see it. Its API key is nobody's to see. */
export const managedTenantSchema = z.object({
  tenantId: tenantIdSchema,
  name: z.string(),
  plan: planSchema,
  limits: tenantLimitsSchema.nullable().meta({
    description: 'What it may do where that is less than its plan grants; null if it has all of that.',
  }),
  state: z.enum(tenantStates),
  placement: placementSchema.omit({ secretArn: true }),
  createdAt: timestamp,
  updatedAt: timestamp,
});
export type ManagedTenant = Readonly<z.output<typeof managedTenantSchema>>;

/** The columns of `registry.tenants` that make one, as JSON. */
export const managedTenantJson = `jsonb_build_object(
  'tenantId', tenant_id, 'name', name, 'plan', plan, 'limits', limits, 'state', state,
  'placement', jsonb_build_object('model', model, 'cluster', cluster, 'database', database, 'schema', schema),
  'createdAt', created_at, 'updatedAt', updated_at)::text`;

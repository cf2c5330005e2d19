import * as z from 'zod';
import { operationInputs } from '../../shared/control/index.ts';
import { placementSchema, planSchema, tenantIdSchema } from '../../shared/tenancy/index.ts';

const model = placementSchema.shape.model.optional().meta({
  description:
    'How strongly the tenant’s data is set apart: in tables that it shares, in a schema of its own, or in a database of its own. As its plan has it if left out.',
});
const cluster = operationInputs.onboard.shape.cluster.meta({
  description: 'The cluster to live on. The one with the most room for such tenants if left out.',
});

export const placementQuery = z.strictObject({ tenantId: tenantIdSchema, plan: planSchema, model, cluster });
export type PlacementQuery = z.output<typeof placementQuery>;

export const newTenant = z.strictObject({
  tenantId: tenantIdSchema,
  name: operationInputs.onboard.shape.name,
  plan: planSchema,
  model,
  cluster,
  from: operationInputs.onboard.shape.from.meta({
    description:
      'The export that the tenant begins with: the id of an operation that made it, or the prefix of its files.',
  }),
  reuseId: operationInputs.onboard.shape.reuseId.meta({
    description:
      'Whether the id may be one of a tenant that was offboarded: only if it is the same customer who comes back.',
  }),
});

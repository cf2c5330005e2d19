import * as z from 'zod';
import { placementModels, planNames, type TenantLimits } from '../contract/index.ts';

/** A tenant's id is a slug: 3 to 40 lower-case letters, digits and hyphens, starting with a letter, not ending with a hyphen. */
export const tenantIdPattern = /^[a-z][a-z0-9-]{1,38}[a-z0-9]$/;

export const tenantIdSchema = z.string().regex(tenantIdPattern);

/** Where a tenant's data lives. `cluster` is a name of the stage's configuration. */
export const placementSchema = z.object({
  model: z.enum(placementModels),
  cluster: z.string().min(1),
  database: z.string().min(1),
  schema: z.string().min(1),
  /** The login of a database that is the tenant's alone. @default that of its cluster */
  secretArn: z.string().min(1).optional(),
});
export type Placement = Readonly<z.infer<typeof placementSchema>>;

export const planSchema = z.enum(planNames);

const limit = z.int().min(1);

/** Limits of one tenant, where they are lower than its plan's. */
export const tenantLimitsSchema = z.strictObject({
  requestsPerMinute: limit.exactOptional(),
  burst: limit.exactOptional(),
  concurrentRequests: limit.exactOptional(),
}) satisfies z.ZodType<TenantLimits>;

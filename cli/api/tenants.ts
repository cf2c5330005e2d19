import * as z from 'zod';
import { readAs } from './answer.ts';
import type { ControlPlane, Query } from './control-plane.ts';
import { listAll } from './pages.ts';

const tenantSchema = z.object({
  tenantId: z.string(),
  name: z.string(),
  plan: z.string(),
  /** Of its own; null if all are its plan's. */
  limits: z
    .object({
      requestsPerMinute: z.number().optional(),
      burst: z.number().optional(),
      concurrentRequests: z.number().optional(),
    })
    .nullable(),
  state: z.string(),
  placement: z.object({ model: z.string(), cluster: z.string(), database: z.string(), schema: z.string() }),
  createdAt: z.string(),
  updatedAt: z.string(),
});
/** A tenant as the control plane shows it. */
export type Tenant = z.output<typeof tenantSchema>;

/** Every tenant that the filter lets through, oldest first. */
export const listTenants = (plane: ControlPlane, filter: Query): Promise<Tenant[]> =>
  listAll(plane, '/tenants', tenantSchema, filter);

export const showTenant = async ({ get }: ControlPlane, tenantId: string): Promise<Tenant> =>
  readAs(tenantSchema, await get(pathOf(tenantId)));

/** The path of a tenant, or of what can be done to it. */
export const pathOf = (tenantId: string, action?: string): string =>
  `/tenants/${encodeURIComponent(tenantId)}${action === undefined ? '' : `/${action}`}`;

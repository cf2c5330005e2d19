import * as z from 'zod';
import type { Get } from './control-plane.ts';

const tenantSchema = z.object({
  tenantId: z.string(),
  name: z.string(),
  plan: z.string(),
  state: z.string(),
  placement: z.object({ model: z.string(), cluster: z.string(), database: z.string(), schema: z.string() }),
  createdAt: z.string(),
  updatedAt: z.string(),
});
/** A tenant as the control plane shows it. */
export type Tenant = z.output<typeof tenantSchema>;

const pageSchema = z.object({ items: z.array(tenantSchema), nextCursor: z.string().nullable() });

/** As many as the control plane gives at once. */
const pageSize = '100';

/** Every tenant that the filter lets through, oldest first, from as many pages as there are. */
export async function listTenants(get: Get, filter: Readonly<Record<string, string>>): Promise<Tenant[]> {
  const tenants: Tenant[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page = await get('/tenants', { ...filter, limit: pageSize, ...(cursor !== '' && { cursor }) });
    const { items, nextCursor } = pageSchema.parse(page);
    tenants.push(...items);
    cursor = nextCursor;
  }
  return tenants;
}

export async function showTenant(get: Get, tenantId: string): Promise<Tenant> {
  return tenantSchema.parse(await get(`/tenants/${encodeURIComponent(tenantId)}`));
}

import * as z from 'zod';
import type { PlacementModel, PlanName, TenantState } from '../contract/index.ts';
import { queryRegistry } from '../database/registry-connection.ts';
import type { PageRequest } from '../http/index.ts';
import { placementSchema } from '../tenancy/index.ts';
import type { TenantCount } from './choose-cluster.ts';
import { type ManagedTenant, managedTenantJson, managedTenantSchema } from './managed-tenant.ts';
import { readPage } from './read-page.ts';

/** Which tenants to list. What is left out does not matter. */
export interface TenantFilter {
  readonly plan?: PlanName | undefined;
  readonly state?: TenantState | undefined;
  readonly model?: PlacementModel | undefined;
  readonly cluster?: string | undefined;
}

/** A page of tenants, oldest first, and one more if there are more. */
export async function listTenants(filter: TenantFilter, page: PageRequest): Promise<ManagedTenant[]> {
  const rows = await readPage(
    {
      select: managedTenantJson,
      from: 'registry.tenants',
      filter: { ...filter },
      order: 'oldest first',
      key: { created_at: 'timestamptz', tenant_id: 'text' },
    },
    page,
  );
  return rows.map((row) => managedTenantSchema.parse(row));
}

/** A tenant, or undefined when there is none. */
export async function readTenant(tenantId: string): Promise<ManagedTenant | undefined> {
  const [row] = await queryRegistry({
    sql: `select ${managedTenantJson} from registry.tenants where tenant_id = :tenant_id`,
    parameters: { tenant_id: tenantId },
    operation: 'select',
    twice: 'harmless',
  });
  return row === undefined ? undefined : managedTenantSchema.parse(row);
}

const countSchema = z.object({ cluster: z.string(), model: placementSchema.shape.model, total: z.int() });

/**
 * How many tenants there are of each model on each cluster, with those whose onboarding was asked for and that the registry has not yet:
 * whoever asks at the same time is to see them.
 *
 * @param newcomer a tenant that is not counted: asked for again, it finds the place that it has taken
 */
export async function countTenants(newcomer: string): Promise<TenantCount[]> {
  const rows = await queryRegistry({
    sql: `select jsonb_build_object('cluster', cluster, 'model', model, 'total', count(*))::text
      from (
        select tenant_id, cluster, model from registry.tenants
        union all
        select o.tenant_id, o.input -> 'placement' ->> 'cluster', o.input -> 'placement' ->> 'model' from registry.operations o
        where o.kind = 'onboard' and o.state in ('pending', 'running')
          and not exists (select from registry.tenants t where t.tenant_id = o.tenant_id)
      ) taken
      where tenant_id <> :newcomer group by cluster, model`,
    parameters: { newcomer },
    operation: 'select',
    twice: 'harmless',
  });
  return rows.map((row) => countSchema.parse(row));
}

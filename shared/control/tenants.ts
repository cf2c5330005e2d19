import type { PlacementModel, PlanName, TenantState } from '../contract/index.ts';
import { queryRegistry } from '../database/registry-connection.ts';
import type { PageRequest } from '../http/index.ts';
import { type ManagedTenant, managedTenantJson, managedTenantSchema } from './managed-tenant.ts';

/** Which tenants to list. What is left out does not matter. */
export interface TenantFilter {
  readonly plan?: PlanName | undefined;
  readonly state?: TenantState | undefined;
  readonly model?: PlacementModel | undefined;
}

/** A page of tenants, oldest first, and one more if there are more. */
export async function listTenants(filter: TenantFilter, { limit, cursor }: PageRequest): Promise<ManagedTenant[]> {
  const conditions: string[] = [];
  const parameters: Record<string, string> = { rows: `${limit + 1}` };
  for (const column of ['plan', 'state', 'model'] as const) {
    const value = filter[column];
    if (value === undefined) continue;
    conditions.push(`${column} = :${column}`);
    parameters[column] = value;
  }
  if (cursor) {
    // One comparison of rows, which the index answers from where the page before ended.
    conditions.push('(created_at, tenant_id) > (cast(:created_at as timestamptz), :tenant_id)');
    [parameters['created_at'], parameters['tenant_id']] = cursor;
  }
  const where = conditions.length > 0 ? `where ${conditions.join(' and ')}` : '';
  const rows = await queryRegistry({
    sql: `select ${managedTenantJson} from registry.tenants ${where}
      order by created_at, tenant_id limit cast(:rows as integer)`,
    parameters,
    operation: 'select',
    twice: 'harmless',
  });
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

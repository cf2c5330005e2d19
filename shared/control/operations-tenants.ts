import { queryRegistry } from '../database/registry-connection.ts';
import type { PlanName, TenantLimits } from '../contract/index.ts';
import type { OperationInput, TenantRecord } from './operations-schema.ts';

const run = async (
  operation: 'select' | 'insert' | 'update' | 'delete',
  sql: string,
  parameters: Readonly<Record<string, string | null>>,
): Promise<void> => {
  await queryRegistry({ sql, parameters, operation, twice: 'harmless' });
};

/** Adds a tenant that is not served yet. One that is there stays as it is. */
export async function registerTenant(
  tenantId: string,
  { name, plan, placement }: OperationInput<'onboard'>,
): Promise<void> {
  const { model, cluster, database, schema } = placement;
  await run(
    'insert',
    `insert into registry.tenants (tenant_id, name, plan, state, model, cluster, database, schema)
     values (:tenant_id, :name, :plan, 'onboarding', :model, :cluster, :database, :schema) on conflict do nothing`,
    { tenant_id: tenantId, name, plan, model, cluster, database, schema },
  );
}

/** Takes back `registerTenant`. A tenant that is served stays. */
export async function forgetTenant(tenantId: string): Promise<void> {
  await run('delete', `delete from registry.tenants where tenant_id = :tenant_id and state = 'onboarding'`, {
    tenant_id: tenantId,
  });
}

/** Changes columns of a tenant; those that have the value already leave its `updated_at` alone. */
async function setColumns(tenantId: string, values: Readonly<Record<string, string | null>>): Promise<void> {
  const columns = Object.keys(values);
  await run(
    'update',
    `update registry.tenants set ${columns.map((column) => `${column} = :${column}`).join(', ')}, updated_at = now()
     where tenant_id = :tenant_id
       and (${columns.map((column) => `${column} is distinct from cast(:${column} as text)`).join(' or ')})`,
    { ...values, tenant_id: tenantId },
  );
}

/** Says in the registry whether a tenant is served. The database it lives in is told by `tenantHomes.place`. */
export const setTenantState = (tenantId: string, state: TenantRecord['state']): Promise<void> =>
  setColumns(tenantId, { state });

export const setTenantPlan = (tenantId: string, plan: PlanName): Promise<void> => setColumns(tenantId, { plan });

/** Says which limits a tenant has of its own: all that it has. None makes all of them its plan's. */
export const setTenantLimits = (tenantId: string, limits: TenantLimits): Promise<void> =>
  run(
    'update',
    `update registry.tenants set limits = nullif(cast(:limits as jsonb), '{}'), updated_at = now()
     where tenant_id = :tenant_id and limits is distinct from nullif(cast(:limits as jsonb), '{}')`,
    { tenant_id: tenantId, limits: JSON.stringify(limits) },
  );

export const setTenantName = (tenantId: string, name: string): Promise<void> => setColumns(tenantId, { name });

/** Remembers the login of the database that is a tenant's alone, an ARN. */
export const setTenantLogin = (tenantId: string, secretArn: string): Promise<void> =>
  setColumns(tenantId, { secret_arn: secretArn });

/** Remembers the key by which the gateway counts a tenant's requests; null forgets it. */
export const setTenantApiKey = (
  tenantId: string,
  key: { readonly id: string; readonly value: string } | null,
): Promise<void> => setColumns(tenantId, { api_key_id: key?.id ?? null, api_key: key?.value ?? null });

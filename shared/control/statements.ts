import { queryRegistry } from '../database/registry-connection.ts';
import { type ManagedTenant, managedTenantJson, managedTenantSchema } from './managed-tenant.ts';

export interface TypedStatement {
  readonly tenantId: string;
  /** The operator who has typed it. */
  readonly actor: string;
  readonly sql: string;
}

/**
 * Writes to the audit log which statement an operator is about to run as a tenant.
 *
 * @returns the tenant; undefined, and nothing written, when there is none
 */
export async function recordStatement({ tenantId, actor, sql }: TypedStatement): Promise<ManagedTenant | undefined> {
  const [row] = await queryRegistry({
    sql: `with entry as (
        insert into registry.audit_log (actor, action, tenant_id, detail)
        select :actor, 'statement.run', t.tenant_id, jsonb_build_object('sql', cast(:statement as text))
        from registry.tenants t where t.tenant_id = :tenant_id
        returning tenant_id
      )
      select ${managedTenantJson} from registry.tenants join entry using (tenant_id)`,
    parameters: { tenant_id: tenantId, actor, statement: sql },
    operation: 'insert',
    twice: 'harmful',
  });
  return row === undefined ? undefined : managedTenantSchema.parse(row);
}

import * as z from 'zod';
import { tenantStates } from '../contract/index.ts';
import { queryRegistry } from '../database/registry-connection.ts';
import { placementSchema, planSchema } from '../tenancy/index.ts';

export interface TypedStatement {
  readonly tenantId: string;
  /** The operator who has typed it. */
  readonly actor: string;
  readonly sql: string;
}

/** What it takes to run something as a tenant. */
const subjectSchema = z.object({ plan: planSchema, state: z.enum(tenantStates), placement: placementSchema });
export type StatementSubject = Readonly<z.output<typeof subjectSchema>>;

/**
 * Writes to the audit log which statement an operator is about to run as a tenant.
 *
 * @returns the tenant, with the login of its own if it has one; undefined, and nothing written, when there is none
 */
export async function recordStatement({ tenantId, actor, sql }: TypedStatement): Promise<StatementSubject | undefined> {
  const [row] = await queryRegistry({
    sql: `with entry as (
        insert into registry.audit_log (actor, action, tenant_id, detail)
        select :actor, 'statement.run', t.tenant_id, jsonb_build_object('sql', cast(:statement as text))
        from registry.tenants t where t.tenant_id = :tenant_id
        returning tenant_id
      )
      select jsonb_build_object('plan', plan, 'state', state, 'placement', jsonb_strip_nulls(jsonb_build_object(
        'model', model, 'cluster', cluster, 'database', database, 'schema', schema, 'secretArn', secret_arn)))::text
      from registry.tenants join entry using (tenant_id)`,
    parameters: { tenant_id: tenantId, actor, statement: sql },
    operation: 'insert',
    twice: 'harmful',
  });
  return row === undefined ? undefined : subjectSchema.parse(row);
}

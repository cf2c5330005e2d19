import { queryRegistry } from '../database/registry-connection.ts';
import type { PlanName, TenantLimits } from '../contract/index.ts';
import type { OperationInput, TenantRecord } from './operations-schema.ts';

/** An execution of an operation, and the step that it is at. */
export interface Turn {
  readonly operationId: string;
  readonly tenantId: string;
  /** As `markStep` gives it: smaller than that of any execution that has begun with the step, or a later one, since. */
  readonly turn: number;
}

/**
 * What a statement reads from to change nothing, and to fail with `operation-in-progress`, once another execution goes on with the
 * operation. It is one transaction with what the statement changes.
 */
const inTurn = 'registry.require_turn(cast(:operation_id as uuid), cast(:turn as bigint))';

async function run(
  operation: 'select' | 'insert' | 'update' | 'delete',
  sql: string,
  { operationId, tenantId, turn }: Turn,
  parameters: Readonly<Record<string, string | null>> = {},
): Promise<void> {
  const about = { operation_id: operationId, turn: String(turn), tenant_id: tenantId };
  await queryRegistry({ sql, parameters: { ...about, ...parameters }, operation, twice: 'harmless' });
}

/**
 * Looks whether an execution still is the one that goes on: right before it asks for something that can neither be compared with a turn nor
 * changed together with the registry.
 *
 * @throws DatabaseError `operation-in-progress` when it is not
 */
export async function requireTurn({ operationId, turn }: Omit<Turn, 'tenantId'>): Promise<void> {
  const parameters = { operation_id: operationId, turn: String(turn) };
  await queryRegistry({
    sql: `select cast(null as text) from ${inTurn}`,
    parameters,
    operation: 'select',
    twice: 'harmless',
  });
}

/** Adds a tenant that is not served yet. One that is there stays as it is. */
export async function registerTenant(turn: Turn, { name, plan, placement }: OperationInput<'onboard'>): Promise<void> {
  const { model, cluster, database, schema } = placement;
  await run(
    'insert',
    `insert into registry.tenants (tenant_id, name, plan, state, model, cluster, database, schema)
     select :tenant_id, :name, :plan, 'onboarding', :model, :cluster, :database, :schema from ${inTurn} on conflict do nothing`,
    turn,
    { name, plan, model, cluster, database, schema },
  );
}

/** Takes back `registerTenant`. A tenant that is served stays. */
export async function forgetTenant(turn: Turn): Promise<void> {
  await run(
    'delete',
    `delete from registry.tenants using ${inTurn} where tenant_id = :tenant_id and state = 'onboarding'`,
    turn,
  );
}

/** Changes columns of a tenant; those that have the value already leave its `updated_at` alone. */
async function setColumns(turn: Turn, values: Readonly<Record<string, string | null>>): Promise<void> {
  const columns = Object.keys(values);
  await run(
    'update',
    `update registry.tenants set ${columns.map((column) => `${column} = :${column}`).join(', ')}, updated_at = now()
     from ${inTurn} where tenant_id = :tenant_id
       and (${columns.map((column) => `${column} is distinct from cast(:${column} as text)`).join(' or ')})`,
    turn,
    values,
  );
}

/** Says in the registry whether a tenant is served. The database it lives in is told by `tenantHomes.place`. */
export const setTenantState = (turn: Turn, state: TenantRecord['state']): Promise<void> => setColumns(turn, { state });

export const setTenantPlan = (turn: Turn, plan: PlanName): Promise<void> => setColumns(turn, { plan });

/** Says which limits a tenant has of its own: all that it has. None makes all of them its plan's. */
export const setTenantLimits = (turn: Turn, limits: TenantLimits): Promise<void> =>
  run(
    'update',
    `update registry.tenants set limits = nullif(cast(:limits as jsonb), '{}'), updated_at = now()
     from ${inTurn} where tenant_id = :tenant_id and limits is distinct from nullif(cast(:limits as jsonb), '{}')`,
    turn,
    { limits: JSON.stringify(limits) },
  );

export const setTenantName = (turn: Turn, name: string): Promise<void> => setColumns(turn, { name });

/** Remembers the login of the database that is a tenant's alone, an ARN. */
export const setTenantLogin = (turn: Turn, secretArn: string): Promise<void> =>
  setColumns(turn, { secret_arn: secretArn });

/** Remembers the key by which the gateway counts a tenant's requests; null forgets it. */
export const setTenantApiKey = (
  turn: Turn,
  key: { readonly id: string; readonly value: string } | null,
): Promise<void> => setColumns(turn, { api_key_id: key?.id ?? null, api_key: key?.value ?? null });

import * as z from 'zod';
import { tenantHomeName, tenantStates } from '../contract/index.ts';
import type { Execute } from './migrator.ts';

const siloSchema = z
  .object({
    tenantId: z.string(),
    cluster: z.string(),
    secretArn: z.string(),
    state: z.enum(tenantStates),
  })
  .transform((silo) => ({ ...silo, database: tenantHomeName(silo.tenantId) }));

/** A database that is one tenant's alone, as the registry knows it. Its role is called as it is. */
export type Silo = Readonly<z.output<typeof siloSchema>>;

const siloColumns = `cast(json_build_object('tenantId', tenant_id, 'cluster', cluster, 'secretArn', secret_arn, 'state', state) as text)
  from registry.tenants where model = 'silo' and secret_arn is not null`;

const siloOf = (row: unknown): Silo => siloSchema.parse(JSON.parse(String(row)));

/**
 * Databases of tenants' own that were made, by tenant.
 *
 * @param registry runs statements as the owner, where the registry is
 * @param after only those of tenants behind this one
 * @param since only those of which the registry has learnt something since then
 */
export async function readSilos(
  registry: Execute,
  after: string,
  most: number,
  since = '-infinity',
): Promise<readonly Silo[]> {
  const rows = await registry(
    `select ${siloColumns} and tenant_id collate "C" > :after and updated_at >= cast(:since as timestamptz)
     order by tenant_id collate "C" limit cast(:most as integer)`,
    { after, most: String(most), since },
  );
  return rows.map(siloOf);
}

/** Those of these tenants. */
export async function readSilosOf(registry: Execute, tenantIds: readonly string[]): Promise<readonly Silo[]> {
  const rows = await registry(
    `select ${siloColumns} and tenant_id in (select json_array_elements_text(cast(:tenants as json))) order by tenant_id`,
    { tenants: JSON.stringify(tenantIds) },
  );
  return rows.map(siloOf);
}

/** A time that is before all of which the registry does not know yet: transactions of it may be under way. */
export async function readRegistryTime(registry: Execute): Promise<string> {
  const [time] = await registry(`select cast(now() - interval '1 minute' as text)`);
  return String(time);
}

export async function countSilos(registry: Execute): Promise<number> {
  const [count] = await registry(
    `select count(*) from registry.tenants where model = 'silo' and secret_arn is not null`,
  );
  return Number(count);
}

/**
 * Tells the registry of the login of a tenant's database that takes the place of a deleted one, unless it knows of another one by now.
 *
 * @param registry as for `readSilos`
 */
export async function replaceLogin(
  registry: Execute,
  tenantId: string,
  { deleted, secretArn }: { readonly deleted: string; readonly secretArn: string },
): Promise<void> {
  await registry(
    `update registry.tenants set secret_arn = :secret_arn, updated_at = now() where tenant_id = :tenant_id and secret_arn = :deleted`,
    { tenant_id: tenantId, secret_arn: secretArn, deleted },
  );
}

/**
 * The state of a tenant; undefined when there is none.
 *
 * @param registry as for `readSilos`
 */
export async function readState(registry: Execute, tenantId: string): Promise<Silo['state'] | undefined> {
  const [state] = await registry('select state from registry.tenants where tenant_id = :tenant_id', {
    tenant_id: tenantId,
  });
  return state === undefined ? undefined : z.enum(tenantStates).parse(state);
}

/** @param execute runs statements in any database of the same cluster */
export async function databaseExists(execute: Execute, database: string): Promise<boolean> {
  return (await execute('select true from pg_database where datname = :database', { database })).length > 0;
}

/** Fails once another execution goes on with an operation, or it has ended. */
export async function requireTurn(
  registry: Execute,
  { operationId, turn }: { readonly operationId: string; readonly turn: number },
): Promise<void> {
  await registry('select registry.require_turn(cast(:operation_id as uuid), cast(:turn as bigint))', {
    operation_id: operationId,
    turn: String(turn),
  });
}

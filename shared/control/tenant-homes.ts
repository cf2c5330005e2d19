import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseError } from '../database/database-error.ts';
import { tenantRowsConnection } from '../database/tenant-rows-connection.ts';
import { AppError } from '../errors/index.ts';
import type { TenantHome } from './tenant-rows.ts';

/** What a call drops at most, and how long others have between two calls. */
const dropLimits = { relations: '10', milliseconds: '500' };
const dropPauseMs = 20;
const duplicateSchema = '42P06';

async function call({ placement }: TenantHome, sql: string, parameters: Record<string, string>): Promise<string[]> {
  return tenantRowsConnection(placement).query(sql, parameters, { twice: 'harmless' });
}

/**
 * Makes the schema that is a tenant's alone, with all that every placement of its database has. Does nothing when it is there.
 *
 * @throws AppError `conflict` when there is another schema of that name
 */
async function make(home: TenantHome): Promise<void> {
  try {
    await call(home, 'select tenancy.make_home(:tenant)', { tenant: home.tenantId });
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.sqlState !== duplicateSchema) throw error;
    const { schema, database, cluster } = home.placement;
    throw new AppError(
      'conflict',
      `The database ${database} on the cluster ${cluster} has a schema ${schema} that is no tenant's. Rename or drop it, or choose another id.`,
      { cause: error },
    );
  }
}

/**
 * Makes a tenant answered or refused by its database, from the next statement on, once its writes in flight are done.
 *
 * @throws DatabaseError `tenant-moving` when the tenant is being moved, or is at home elsewhere in that database
 */
async function place(home: TenantHome, state: 'active' | 'suspended'): Promise<void> {
  const parameters = { tenant: home.tenantId, home: home.placement.schema, state };
  await call(home, 'select cast(tenancy.place(:tenant, :home, :state) as text)', parameters);
}

/** Makes the database forget where in it a tenant lived that is suspended. */
async function displace(home: TenantHome): Promise<void> {
  await call(home, 'select cast(tenancy.displace(:tenant) as text)', { tenant: home.tenantId });
}

/** Drops the schema that is a tenant's alone, a few relations or functions at a time, once the tenant is displaced. */
async function drop(home: TenantHome): Promise<void> {
  const sql =
    'select cast(tenancy.drop_home(:tenant, cast(:relations as integer), cast(:milliseconds as integer)) as text)';
  for (;;) {
    const [left] = await call(home, sql, { tenant: home.tenantId, ...dropLimits });
    if (Number(left) === 0) return;
    await sleep(dropPauseMs);
  }
}

/** Where tenants live: schemas, and what the database knows of who is at home in them. */
export const tenantHomes = { make, place, displace, drop };
export type TenantHomes = typeof tenantHomes;

import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseError } from '../database/database-error.ts';
import { AppError } from '../errors/index.ts';
import { changeHome, type HomeInTurn } from './tenant-rows.ts';

/** What a call drops at most, and how long others have between two calls. */
const dropLimits = { relations: '10', milliseconds: '500' };
const dropPauseMs = 20;
const duplicateSchema = '42P06';

/**
 * Makes the schema that is a tenant's alone, with all that every placement of its database has. Does nothing when it is there.
 *
 * @throws AppError `conflict` when there is another schema of that name
 */
async function make(home: HomeInTurn): Promise<void> {
  try {
    await changeHome(home, 'tenancy.make_home(:tenant)');
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
async function place(home: HomeInTurn, state: 'active' | 'suspended'): Promise<void> {
  await changeHome(home, 'cast(tenancy.place(:tenant, :home, :state) as text)', { home: home.placement.schema, state });
}

/** Makes the database forget where in it a tenant lived that is suspended. */
async function displace(home: HomeInTurn): Promise<void> {
  await changeHome(home, 'cast(tenancy.displace(:tenant) as text)');
}

/** Drops the schema that is a tenant's alone, a few relations or functions at a time, once the tenant is displaced. */
async function drop(home: HomeInTurn): Promise<void> {
  const some = 'cast(tenancy.drop_home(:tenant, cast(:relations as integer), cast(:milliseconds as integer)) as text)';
  for (;;) {
    const [left] = await changeHome(home, some, dropLimits);
    if (Number(left) === 0) return;
    await sleep(dropPauseMs);
  }
}

/** Where tenants live: schemas, and what the database knows of who is at home in them. */
export const tenantHomes = { make, place, displace, drop };
export type TenantHomes = typeof tenantHomes;

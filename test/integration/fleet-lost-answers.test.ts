import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { migrateFleet } from '../../shared/database/fleet.ts';
import type { FleetOptions } from '../../shared/database/fleet-run.ts';
import type { Execute, Migration } from '../../shared/database/migrator.ts';
import { provisionSchema, publishMigrations } from '../../shared/database/provision.ts';
import { dropPlacement, type FleetWorld, migration, names, startFleetWorld } from '../helpers/fleet/fleet-world.ts';

let world: FleetWorld;
const schemas = names(12);
beforeAll(async () => {
  // A call is waited for as long as it takes to try a lock, and no longer.
  world = await startFleetWorld({ statementTimeoutMs: 500 });
});
afterAll(() => world[Symbol.asyncDispose]());
afterEach(async () => {
  await nobodyWorks();
  for (const schema of schemas) await dropPlacement(world.execute, schema);
});

/** Waits for calls for which nobody has waited. */
async function nobodyWorks(): Promise<void> {
  const working = `select from pg_stat_activity where datname = current_database() and state = 'active' and query like '%migrate_some%'
    and pid <> pg_backend_pid()`;
  while ((await world.query(working)).length > 0) await sleep(50);
}

const pets = migration('900', 'create table pets (tenant_id text, id int, primary key (tenant_id, id))');
const slowlyFails = migration('901', 'select pg_sleep(1.5); select 1 / 0');
const fails = migration('901', 'select 1 / 0');
const addName = migration('901', 'alter table pets add name text');

async function makePlacements(): Promise<void> {
  await publishMigrations(world.execute, [pets]);
  await world.query(`delete from tenancy.migration_files where version < '9'`);
  for (const schema of schemas) await provisionSchema(world.execute, schema);
}

const migrate = (more: Migration, options: FleetOptions, execute: Execute = world.execute) =>
  migrateFleet([{ name: 'main', execute }], [pets, more], { pollMs: 20, only: schemas, concurrency: 1, ...options });

/** Answers of some calls are lost once the database has done what they say. */
const losing =
  (isLost: (sql: string) => boolean): Execute =>
  async (sql, parameters) => {
    const rows = await world.execute(sql, parameters);
    if (isLost(sql)) throw new Error('The connection was lost.');
    return rows;
  };

/** The first so many answers to calls that migrate. */
function losesAnswers(count: number): Execute {
  let left = count;
  return losing((sql) => sql.includes('migrate_some') && (left -= 1) >= 0);
}

describe('a migration that fails when nobody waits for it any more', () => {
  it('is a failed canary all the same, and the others are left alone', { timeout: 30_000 }, async () => {
    await makePlacements();
    const report = await migrate(slowlyFails, { canaries: 1 });
    expect(report).toMatchObject({
      done: 0,
      failed: 1,
      failures: [{ database: 'main', placement: 't_0001', version: '901', sqlstate: '22012' }],
      stopped: 'canary',
    });
    expect(await world.ledger('901')).toEqual(['t_0001 901 failed']);
  });

  it('is one of the failures that a run puts up with', { timeout: 30_000 }, async () => {
    await makePlacements();
    const report = await migrate(slowlyFails, { canaries: 0, maxFailures: 0, placementsPerCall: 1 });
    expect(report).toMatchObject({ done: 0, stopped: 'budget' });
    expect(report.failures).toContainEqual(expect.objectContaining({ placement: 't_0001', sqlstate: '22012' }));
    await nobodyWorks();
    expect((await world.ledger('901')).length).toBeLessThan(schemas.length);
  });

  it('is waited for, and counted, when it succeeds', { timeout: 30_000 }, async () => {
    await makePlacements();
    const slow = migration('901', 'select pg_sleep(0.3); alter table pets add name text');
    expect(await migrate(slow, { canaries: 0 })).toMatchObject({ done: 12, failed: 0, stopped: undefined });
  });
});

describe('a call whose answer is lost', () => {
  it('has failed where the ledger says so', async () => {
    await makePlacements();
    const report = await migrate(fails, { canaries: 2 }, losesAnswers(1));
    expect(report).toMatchObject({ done: 0, failed: 2, stopped: 'canary' });
    expect(report.failures.map(({ placement, error }) => `${placement} ${error}`)).toEqual([
      't_0001 Migration 901 of t_0001 failed: division by zero',
      't_0002 Migration 901 of t_0002 failed: division by zero',
    ]);
  });

  it('has used up what a run puts up with', async () => {
    await makePlacements();
    const report = await migrate(fails, { canaries: 0, maxFailures: 1 }, losesAnswers(1));
    expect(report.stopped).toBe('budget');
    // The one that was made again takes one placement, to see.
    expect(report.failed).toBeLessThanOrEqual(3);
  });

  it('has done what the ledger says', async () => {
    await makePlacements();
    expect(await migrate(addName, { canaries: 0, placementsPerCall: 2 }, losesAnswers(2))).toMatchObject({
      done: 12,
      failed: 0,
      stopped: undefined,
    });
  });
});

it('nobody takes a fleet for done because the question what is left took too long', async () => {
  await makePlacements();
  let asked = 0;
  const tired: Execute = async (sql, parameters) => {
    if (sql.includes('fleet_left') && (asked += 1) === 1)
      throw Object.assign(new Error('Statement timeout'), { name: 'StatementTimeoutException' });
    return world.execute(sql, parameters);
  };
  expect(await migrate(addName, { canaries: 0 }, tired)).toMatchObject({ done: 12, failed: 0, stopped: undefined });
});

it('a run that is cancelled before it has begun with a placement says so, and has done nothing', async () => {
  await makePlacements();
  // Files can be read until a placement is taken, and then somebody cancels the call.
  await world.query(
    `create function cancelled() returns boolean language plpgsql as $$
     begin
       if exists (select from tenancy.migration_targets where xmax = pg_current_xact_id_if_assigned()::xid) then
         raise exception 'canceling statement due to user request' using errcode = 'query_canceled';
       end if;
       return true;
     end $$`,
  );
  await world.query('grant execute on function cancelled to tenantry_owner');
  await world.query('alter table tenancy.migration_files enable row level security, force row level security');
  await world.query('create policy cancelled on tenancy.migration_files using (cancelled()) with check (true)');
  await expect(migrate(addName, { canaries: 0 })).rejects.toThrow('canceling statement due to user request');
  await world.query('drop policy cancelled on tenancy.migration_files');
  await world.query('alter table tenancy.migration_files no force row level security, disable row level security');
  expect(await world.ledger('901')).toEqual([]);
  expect(await migrate(addName, { canaries: 0 })).toMatchObject({ done: schemas.length, failed: 0 });
});

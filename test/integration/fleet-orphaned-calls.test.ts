import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { migrateFleet } from '../../shared/database/fleet.ts';
import type { FleetOptions } from '../../shared/database/fleet-run.ts';
import type { Execute, Migration } from '../../shared/database/migrator.ts';
import { provisionSchema, publishMigrations } from '../../shared/database/provision.ts';
import { dropPlacement, type FleetWorld, migration, names, startFleetWorld } from '../helpers/fleet/fleet-world.ts';

let world: FleetWorld;
const schemas = names(4);
const pets = migration('900', 'create table pets (tenant_id text, id int, primary key (tenant_id, id))');
beforeAll(async () => {
  world = await startFleetWorld();
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  for (const schema of schemas) await dropPlacement(world.execute, schema);
  await publishMigrations(world.execute, [pets]);
  await world.query(`delete from tenancy.migration_files where version < '9'`);
  for (const schema of schemas) await provisionSchema(world.execute, schema);
});

const migrate = (more: Migration, options: FleetOptions = {}, execute: Execute = world.execute) =>
  migrateFleet([{ name: 'main', execute }], [pets, more], { pollMs: 20, only: schemas, canaries: 0, ...options });

/** A runner that is killed when it has just sent a call, which goes on in the database. */
async function killedAt(sent: RegExp, more: Migration): Promise<void> {
  await new Promise<void>((resolve) => {
    const execute: Execute = async (sql, parameters) => {
      const answer = world.execute(sql, parameters);
      if (!sent.test(sql)) return answer;
      void answer.catch(() => undefined);
      setTimeout(resolve, 200);
      return new Promise(() => undefined);
    };
    void migrate(more, { concurrency: 1, placementsPerCall: 2 }, execute);
  });
}

it('a run waits for placements that the call of a killed runner is still at, and migrates the others', async () => {
  const slow = migration('901', 'select pg_sleep(0.7); alter table pets add name text');
  await killedAt(/migrate_some/, slow);
  expect(await migrate(slow)).toMatchObject({ done: 2, failed: 0, stopped: undefined });
  expect(await world.ledger('901')).toEqual(schemas.map((schema) => `${schema} 901 done`));
});

it('a run waits for an index that the call of a killed runner is still building', { timeout: 30_000 }, async () => {
  const byId = migration('901', 'create index concurrently if not exists by_id on pets (tenant_id, id)', 'alone');
  const blocker = await world.postgres.connectAs('owner');
  await blocker.query('begin; lock table t_0001.pets in row exclusive mode');
  await killedAt(/create index concurrently/, byId);
  let builds = 0;
  const counting: Execute = async (sql, parameters) => {
    if (sql.includes('create index concurrently') && sql.includes('t_0001')) builds += 1;
    return world.execute(sql, parameters);
  };
  const migrated = migrate(byId, { leaseSeconds: 1 }, counting);
  // Longer than the lease: that the statement is running is what keeps others away.
  setTimeout(() => void blocker.query('commit'), 2_000);
  expect(await migrated).toMatchObject({ done: 4, failed: 0, stopped: undefined });
  expect(builds).toBeLessThanOrEqual(1);
  expect(
    await world.query(
      `select from pg_index i join pg_class c on c.oid = i.indexrelid where c.relname = 'by_id' and i.indisvalid`,
    ),
  ).toHaveLength(4);
});

import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { migrateFleet } from '../../shared/database/fleet.ts';
import type { FleetOptions } from '../../shared/database/fleet-run.ts';
import { readPlacements, readPlan } from '../../shared/database/fleet-state.ts';
import type { Execute, Migration } from '../../shared/database/migrator.ts';
import { provisionSchema, publishMigrations } from '../../shared/database/provision.ts';
import { dropPlacement, type FleetWorld, migration, names, startFleetWorld } from '../helpers/fleet/fleet-world.ts';

let world: FleetWorld;
const schemas = names(4);
beforeAll(async () => {
  world = await startFleetWorld();
  await world.query(`update tenancy.migration_targets set dropping = true where target = 'pool'`);
});
afterAll(() => world[Symbol.asyncDispose]());

beforeEach(() => world.provision(schemas));
afterEach(async () => {
  await world.query('delete from tenancy.placements');
  for (const schema of [...schemas, 't_new', 't_newer', 't_newest']) await dropPlacement(world.execute, schema);
  await publishMigrations(world.execute, world.tenant);
});

const migrate = (more: readonly Migration[], options: FleetOptions = {}) =>
  migrateFleet([{ name: 'main', execute: world.execute }], [...world.tenant, ...more], {
    canaries: 3,
    pollMs: 20,
    ...options,
  });

/** Fails in `t_0003`, which is a canary. */
const bad = migration(
  '900',
  `do $$ begin if current_schema = 't_0003' then raise 'bad'; end if; end $$; create table bad ()`,
);
const next = migration('901', 'create table next ()');

it('a file that was removed runs no more, keeps nothing from running, and is in no new placement', async () => {
  expect(await migrate([bad])).toMatchObject({ failed: 1, stopped: 'canary' });
  const plan = await readPlan(world.execute, [...world.tenant, next], null, 3);
  expect(plan.steps).toMatchObject([{ version: '901', placements: 4 }]);
  expect(plan.withdrawn).toEqual([{ version: '900', placements: 2, first: ['t_0001', 't_0002'] }]);
  expect(await migrate([next])).toEqual({ placements: 4, done: 4, failed: 0, failures: [], stopped: undefined });
  expect(await provisionSchema(world.execute, 't_new')).toEqual([...world.tenant.map((file) => file.version), '901']);
  expect(await world.ledger('900', '901')).toEqual([
    't_0001 900 done',
    't_0001 901 done',
    't_0002 900 done',
    't_0002 901 done',
    't_0003 900 failed',
    't_0003 901 done',
    't_0004 901 done',
    't_new 901 done',
  ]);
});

it('where a file that was removed had been applied can be seen, and its failures are history', async () => {
  await migrate([bad]);
  expect(await readPlacements(world.execute, ['t_0003'])).toMatchObject([{ withdrawn: [], failed: '900' }]);
  await migrate([next]);
  expect(
    (await readPlacements(world.execute, null)).map(({ placement, withdrawn, failed }) => [
      placement,
      withdrawn,
      failed,
    ]),
  ).toEqual(schemas.map((schema, index) => [schema, index < 2 ? ['900'] : [], null]));
});

it('a file that is back runs where it is missing', async () => {
  await migrate([bad]);
  await migrate([next]);
  await provisionSchema(world.execute, 't_new');
  const mended = { ...migration('900', 'create table if not exists bad ()'), replaces: [bad.checksum.slice(0, 20)] };
  expect(await migrate([mended, next])).toMatchObject({ placements: 3, done: 3 });
  expect((await readPlacements(world.execute, null)).filter(({ withdrawn }) => withdrawn.length > 0)).toEqual([]);
  expect(await provisionSchema(world.execute, 't_newer')).toContain('900');
});

it('a file that every placement has is in new ones too, though the deployment of before has no such file', async () => {
  await migrate([next]);
  await migrate([]);
  expect(await provisionSchema(world.execute, 't_new')).toContain('901');
  expect(await provisionSchema(world.execute, 't_newer')).toContain('901');
  await world.query(`delete from tenancy.migrations where target = 't_0002' and version = '901'`);
  expect(await provisionSchema(world.execute, 't_newest')).not.toContain('901');
});

it('a run whose files somebody withdraws meanwhile does not take itself for done', async () => {
  let isWithdrawn = false;
  const execute: Execute = async (sql, parameters) => {
    const rows = await world.execute(sql, parameters);
    if (sql.includes('migrate_some') && !isWithdrawn) await publishMigrations(world.execute, world.tenant);
    isWithdrawn ||= sql.includes('migrate_some');
    return rows;
  };
  const files = [...world.tenant, next];
  const options = { canaries: 0, placementsPerCall: 2, concurrency: 1 };
  expect(await migrateFleet([{ name: 'main', execute }], files, options)).toMatchObject({
    done: 2,
    failed: 0,
    stopped: 'published',
  });
  expect(await migrate([next])).toMatchObject({ done: 2, stopped: undefined });
});

it('a backfill whose file was removed ends, with what it has written', async () => {
  await world.query(`insert into tenancy.placements (tenant_id, schema) values ('acme', 't_0001')`);
  await world.query(`select set_config('tenancy.capability', tenancy.mint('acme'), false)`);
  await world.query(
    `insert into t_0001.projects (tenant_id, name) select 'acme', 'p' || n from generate_series(1, 10) n`,
  );
  const backfill = migration(
    '900',
    `update projects set description = 'x' where id in (select id from projects where description is null limit 1)`,
    'each-tenant',
  );
  let calls = 0;
  const stopping: FleetOptions = { canaries: 0, concurrency: 1, callMs: 0, only: ['t_0001'] };
  await expect(
    migrateFleet(
      [
        {
          name: 'main',
          execute: async (sql, parameters) => {
            if (sql.includes('backfill_some') && (calls += 1) > 3)
              throw Object.assign(new Error('killed'), { code: '42000' });
            return world.execute(sql, parameters);
          },
        },
      ],
      [...world.tenant, backfill],
      stopping,
    ),
  ).rejects.toThrow('killed');
  const rows = () => world.query('select rows::int from tenancy.backfills');
  expect(await rows()).toEqual([{ rows: 3 }]);
  expect(await migrate([next])).toMatchObject({ done: 4, failed: 0 });
  expect(await rows()).toEqual([{ rows: 3 }]);
  expect(await readPlacements(world.execute, ['t_0001'])).toMatchObject([{ withdrawn: ['900'] }]);
});

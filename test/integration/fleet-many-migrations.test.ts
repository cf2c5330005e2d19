import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { migrateFleet } from '../../shared/database/fleet.ts';
import { readFleet, readPlacements, readPlan } from '../../shared/database/fleet-state.ts';
import type { Migration } from '../../shared/database/migrator.ts';
import { publishMigrations } from '../../shared/database/provision.ts';
import { type FleetWorld, migration, startFleetWorld } from '../helpers/fleet/fleet-world.ts';

let world: FleetWorld;
/** As long as names and checksums are. */
const files = Array.from({ length: 1_000 }, (_, index): Migration => {
  const version = `${1_000 + index}_what_a_migration_of_a_product_is_called`;
  return { ...migration(version, 'select 1'), checksum: createHash('sha256').update(version).digest('hex') };
});
const next: Migration = { ...migration('3000_next', 'create table next_ (id int)'), checksum: 'next' };

/** A placement whose ledger has the first so many. */
async function withFirst(schema: string, count: number): Promise<void> {
  await world.query(`create schema ${schema} authorization tenantry_owner`);
  await world.query('insert into tenancy.migration_targets values ($1)', [schema]);
  await world.query(
    `insert into tenancy.migrations (target, version, checksum)
     select $1, f.version, f.checksum from tenancy.migration_files f order by f.version limit $2`,
    [schema, count],
  );
}

beforeAll(async () => {
  world = await startFleetWorld();
  await world.query(`delete from tenancy.migration_targets where target = 'pool'`);
  await publishMigrations(world.execute, files);
  await withFirst('t_all', 1_000);
  await withFirst('t_also', 1_000);
  await withFirst('t_less', 999);
  await withFirst('t_none', 0);
  await withFirst('t_other', 1_000);
  await world.query(
    `update tenancy.migrations set checksum = 'other' where target = 't_other' and version like '1500%'`,
  );
});
afterAll(() => world[Symbol.asyncDispose]());

it('what placements have is read, however many migrations a ledger has', async () => {
  const groups = await readFleet(world.execute, null, 0);
  expect(groups.map(({ placements, first, done }) => [placements, first, Object.keys(done).length])).toEqual([
    [2, ['t_all', 't_also'], 1_000],
    [1, ['t_less'], 999],
    [1, ['t_none'], 0],
    [1, ['t_other'], 1_000],
  ]);
  expect(groups[0]?.done).toEqual(Object.fromEntries(files.map(({ version, checksum }) => [version, checksum])));
  const plan = await readPlan(world.execute, files, null, 3);
  expect(plan).toMatchObject({ placements: 5, upToDate: 3, canaries: ['t_less', 't_none'], withdrawn: [] });
  expect(plan.steps.at(-1)).toMatchObject({ version: files.at(-1)?.version, placements: 2 });
  expect(plan.edited).toMatchObject([{ version: files[500]?.version, first: ['t_other'], editions: ['other'] }]);
});

it('what each placement lacks is told for the first files, and how many there are', async () => {
  const placements = await readPlacements(world.execute, ['t_less', 't_none']);
  const versions = files.map(({ version }) => version);
  expect(placements.map(({ placement, missing, lacks }) => ({ placement, missing, lacks }))).toEqual([
    { placement: 't_less', missing: versions.slice(-1), lacks: 1 },
    { placement: 't_none', missing: versions.slice(0, 20), lacks: 1_000 },
  ]);
});

it('one more runs in those that have all, and a thousand in the one that has none', async () => {
  await world.query(`delete from tenancy.migration_targets where target = 't_other'`);
  const only = ['t_all', 't_also', 't_none'];
  const report = await migrateFleet([{ name: 'main', execute: world.execute }], [...files, next], { only, pollMs: 20 });
  expect(report).toMatchObject({ placements: 3, done: 3, failed: 0 });
  expect(await world.ledger('3000_next')).toEqual(only.map((schema) => `${schema} 3000_next done`));
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { failuresByCause } from '../../shared/database/fleet-error.ts';
import { migrateFleet } from '../../shared/database/fleet.ts';
import type { FleetDatabase, FleetOptions } from '../../shared/database/fleet-run.ts';
import { readFleet, readPlacements } from '../../shared/database/fleet-state.ts';
import type { Execute, Migration } from '../../shared/database/migrator.ts';
import { provisionSchema, publishMigrations } from '../../shared/database/provision.ts';
import { dropPlacement, type FleetWorld, migration, names, startFleetWorld } from '../helpers/fleet/fleet-world.ts';

let world: FleetWorld;
let schemas: string[] = [];
beforeAll(async () => {
  world = await startFleetWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

/** Forgets what a test has published and made. */
afterEach(async () => {
  for (const schema of schemas) await dropPlacement(world.execute, schema);
  schemas = [];
  await world.query(`delete from tenancy.migrations where target = 'pool' and version like '9%'`);
  await world.query(`drop table if exists pool.pets, pool.toys`);
  await publishMigrations(world.execute, world.tenant);
});

const pets = migration('900', 'create table pets (tenant_id text, id int, primary key (tenant_id, id))');
const addName = migration('901', 'alter table pets add name text');

/** Placements with a small table alone, since many are made. */
async function makePlacements(count: number, ...migrations: readonly Migration[]): Promise<void> {
  schemas = names(count);
  await publishMigrations(world.execute, migrations);
  await world.query(`delete from tenancy.migration_files where version < '9'`);
  for (const schema of schemas) await provisionSchema(world.execute, schema);
}

const migrate = (migrations: readonly Migration[], options: FleetOptions = {}, execute: Execute = world.execute) =>
  migrateFleet([{ name: 'main', execute }], migrations, { pollMs: 20, only: schemas, ...options });

const columns = async (): Promise<string[]> => {
  const rows = await world.query<{ columns: string }>(
    `select n.nspname || ': ' || string_agg(a.attname, ' ' order by a.attnum) as columns
     from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
     where c.relname = 'pets' and n.nspname <> 'pool' and not a.attisdropped group by n.nspname order by n.nspname`,
  );
  return rows.map((row) => row.columns);
};

describe('a fleet', () => {
  it('is brought to the newest version, many placements a call, and has nothing to do then', async () => {
    await makePlacements(120, pets);
    const progress: number[] = [];
    const before = world.calls.length;
    const onProgress: FleetOptions['onProgress'] = ({ done }) => progress.push(done);
    expect(await migrate([pets, addName], { onProgress })).toEqual({
      placements: 120,
      done: 120,
      failed: 0,
      failures: [],
      stopped: undefined,
    });
    expect(world.calls.length - before).toBeLessThanOrEqual(30);
    expect(await columns()).toEqual(schemas.map((schema) => `${schema}: tenant_id id name`));
    expect(progress.at(-1)).toBe(120);
    const calls = world.calls.length;
    expect(await migrate([pets, addName])).toMatchObject({ placements: 0, done: 0 });
    expect(world.calls.length - calls).toBe(2);
  });

  it('says who is on which version in one call, a thousand of the same state in one row', async () => {
    await makePlacements(20, pets);
    await migrate([pets, addName], { only: schemas.slice(0, 5) });
    const calls = world.calls.length;
    expect(await readFleet(world.execute, schemas, 0)).toEqual([
      { done: { '900': pets.checksum, '901': addName.checksum }, placements: 5, first: schemas.slice(0, 3) },
      { done: { '900': pets.checksum }, placements: 15, first: schemas.slice(5, 8) },
    ]);
    expect(world.calls.length - calls).toBe(1);
    expect(await readPlacements(world.execute, schemas.slice(4, 6))).toMatchObject([
      { placement: 't_0005', version: '901', applied: 2, failed: null },
      { placement: 't_0006', version: '900', applied: 1, failed: null },
    ]);
  });

  it('says what a placement lacks, also where it is older than what it has', async () => {
    await makePlacements(3, pets, addName);
    const late = migration('900a', 'create table toys (id int)');
    await migrate([pets, late, addName], { only: ['t_0002'] });
    expect((await readPlacements(world.execute, schemas)).map(({ version, missing }) => [version, ...missing])).toEqual(
      [['901', '900a'], ['901'], ['901', '900a']],
    );
  });

  it('refuses a file that was changed after it had been applied, and does nothing', async () => {
    await makePlacements(3, pets);
    const edited = { ...pets, checksum: 'edited' };
    await expect(migrate([edited, addName])).rejects.toMatchObject({
      code: 'TN009',
      message: expect.stringContaining(
        'Changed after it had been applied: 900 (in 3 placements of main: t_0001, t_0002, t_0003)',
      ),
    });
    const late = 't_late';
    schemas.push(late);
    await world.query(`insert into tenancy.migration_targets values ($1)`, [late]);
    await expect(migrate([edited, addName], { only: [late] })).rejects.toMatchObject({
      name: 'EditedMigrationError',
      message: expect.stringContaining('900 (in 3 placements of main: t_0001, t_0002, t_0003)'),
    });
    await expect(publishMigrations(world.execute, [edited])).rejects.toThrow('SQLState: TN009');
    expect(await columns()).toEqual(names(3).map((schema) => `${schema}: tenant_id id`));
  });

  it('takes a file that was changed before it had been applied', async () => {
    await makePlacements(2, pets);
    await publishMigrations(world.execute, [pets, migration('901', 'alter table pets add other int')]);
    await migrate([pets, addName]);
    expect(await columns()).toEqual(schemas.map((schema) => `${schema}: tenant_id id name`));
  });

  it('keeps values of new columns out of the statistics', async () => {
    await makePlacements(2, migration('900', `${pets.sql}; select tenancy.protect('pets')`));
    await migrate([migration('900', `${pets.sql}; select tenancy.protect('pets')`), addName]);
    expect(
      await world.query(
        `select attstattarget from pg_attribute where attrelid = 't_0002.pets'::regclass and attname = 'name'`,
      ),
    ).toEqual([{ attstattarget: 0 }]);
  });

  it('gives a placement that is made during a run the newest version', async () => {
    await makePlacements(20, pets);
    const late = 't_late';
    let isMade = false;
    const execute: Execute = async (sql, parameters) => {
      if (sql.includes('migrate_some') && !isMade) {
        isMade = true;
        await provisionSchema(world.execute, late);
      }
      return world.execute(sql, parameters);
    };
    schemas.push(late);
    await migrate([pets, addName], {}, execute);
    expect(await world.ledger('901')).toEqual(schemas.map((schema) => `${schema} 901 done`));
  });
});

describe('a migration that fails in 7 of 300 placements', () => {
  const broken = migration('901', 'alter table pets add name text; select 1 / count(*) from toys');
  const sick = [21, 60, 61, 99, 140, 222, 300].map((index) => names(300)[index - 1] ?? '');

  it('is done in 293, reported for 7 with their errors, and half-applied nowhere; then, mended, runs in exactly these 7', async () => {
    await makePlacements(
      300,
      pets,
      migration('9001', 'create table toys (); alter table toys add id int; insert into toys values (1)'),
    );
    const [toys] = await world.query<{ sql: string }>(`select sql from tenancy.migration_files where version = '9001'`);
    const files = [pets, migration('9001', toys?.sql ?? '')];
    for (const schema of sick) await world.query(`delete from ${schema}.toys`);
    const report = await migrate([...files, { ...broken, version: '902' }]);
    expect(report).toMatchObject({ placements: 300, done: 293, failed: 7, stopped: undefined });
    expect(report.failures.map(({ placement }) => placement).sort()).toEqual(sick);
    expect(failuresByCause(report.failures)).toMatchObject([
      { version: '902', sqlstate: '22012', error: 'Migration 902 of <schema> failed: division by zero' },
    ]);
    expect(await readPlacements(world.execute, schemas, true)).toMatchObject(
      sick.map((placement) => ({ placement, version: '9001', failed: '902', sqlstate: '22012' })),
    );
    expect(await columns()).toEqual(
      schemas.map((schema) => `${schema}: tenant_id id${sick.includes(schema) ? '' : ' name'}`),
    );

    const mended = migration('902', 'alter table pets add name text');
    await expect(migrate([...files, mended])).rejects.toMatchObject({ code: 'TN009' });
    const ran: string[] = [];
    const replacing = { ...mended, replaces: [broken.checksum.slice(0, 20)] };
    const again = await migrate([...files, replacing], {}, async (sql, parameters) => {
      const rows = await world.execute(sql, parameters);
      if (sql.includes('migrate_some'))
        ran.push(...rows.map((row) => (JSON.parse(String(row)) as { placement: string }).placement));
      return rows;
    });
    expect(again).toMatchObject({ placements: 7, done: 7, failed: 0 });
    expect(ran.sort()).toEqual(sick);
    expect(await readPlacements(world.execute, schemas, true)).toEqual([]);
    expect(await columns()).toEqual(schemas.map((schema) => `${schema}: tenant_id id name`));
    expect(await migrate([...files, replacing])).toMatchObject({ placements: 0 });
  }, 120_000);
});

describe('a run', () => {
  const fails = migration('901', 'select 1 / 0');

  it('leaves the others alone when a canary fails', async () => {
    await makePlacements(12, pets);
    const report = await migrate([pets, fails], { canaries: 2 });
    expect(report).toMatchObject({ placements: 12, done: 0, failed: 2, stopped: 'canary' });
    expect(await world.ledger('901')).toEqual(['t_0001 901 failed', 't_0002 901 failed']);
  });

  it('stops when the budget of failures is used up', async () => {
    await makePlacements(40, pets);
    const report = await migrate([pets, fails], { canaries: 0, maxFailures: 4, concurrency: 1 });
    expect(report).toMatchObject({ placements: 40, done: 0, failed: 5, stopped: 'budget' });
  });

  it('stops when time is up, and says so', async () => {
    await makePlacements(3, pets);
    expect(await migrate([pets, addName], { until: Date.now() })).toMatchObject({ done: 0, stopped: 'time' });
  });

  it('tries again where a lock was not to be had', async () => {
    await makePlacements(2, pets);
    const blocker = await world.postgres.connectAs('owner');
    await blocker.query('begin');
    await blocker.query('lock table t_0002.pets in access share mode');
    const migrated = migrate([pets, addName], { canaries: 0 });
    for (let failed: unknown[] = []; failed.length === 0;)
      failed = (await world.ledger('901')).filter((line) => line.endsWith('failed'));
    await blocker.query('commit');
    expect(await migrated).toMatchObject({ done: 2, failed: 0 });
  });

  it('fails with the call, and with nothing else, when migrations fail at the end of their transaction', async () => {
    const deferred = `create table toys (id int primary key deferrable initially deferred);
      insert into toys values (1), ((select count(*) from pets) + 1)`;
    await makePlacements(3, migration('900', `${pets.sql}; insert into pets values ('a', 1)`));
    await world.query('delete from t_0002.pets');
    const report = await migrate(
      [migration('900', `${pets.sql}; insert into pets values ('a', 1)`), migration('901', deferred)],
      { canaries: 0 },
    );
    expect(report.failures).toMatchObject([{ placement: 't_0002', sqlstate: '23505' }]);
    expect(report.done).toBe(2);
  });

  it('holds few locks at once, however many tables there are', async () => {
    await makePlacements(30, pets);
    const many = migration(
      '901',
      `do $$ begin for n in 1 .. 40 loop execute format('create table p_%s (id int primary key)', n); end loop; end $$`,
    );
    const counts: number[] = [];
    await migrate([pets, many], { canaries: 0, concurrency: 1, locksPerCall: 300 }, async (sql, parameters) => {
      const rows = await world.execute(sql, parameters);
      if (sql.includes('migrate_some')) counts.push(rows.length);
      return rows;
    });
    // Each placement takes about 120: tables, their indexes, and their keys' entries.
    expect(Math.max(...counts)).toBeLessThan(8);
  });
});

describe('two runs at once', () => {
  it('migrate each placement once, and both end when all is done', async () => {
    await makePlacements(60, pets);
    const slow = migration('901', 'alter table pets add name text; select pg_sleep(0.01)');
    const ran: string[] = [];
    const counting: Execute = async (sql, parameters) => {
      const rows = await world.execute(sql, parameters);
      if (sql.includes('migrate_some')) {
        const outcomes = rows.map((row) => JSON.parse(String(row)) as { placement: string; applied: string[] });
        ran.push(...outcomes.filter(({ applied }) => applied.length > 0).map(({ placement }) => placement));
      }
      return rows;
    };
    const reports = await Promise.all([1, 2, 3].map(() => migrate([pets, slow], { placementsPerCall: 4 }, counting)));
    expect(ran.sort()).toEqual(schemas);
    expect(reports.reduce((sum, { done }) => sum + done, 0)).toBe(60);
    expect(reports.map(({ stopped }) => stopped)).toEqual([undefined, undefined, undefined]);
    expect(await world.ledger('901')).toEqual(schemas.map((schema) => `${schema} 901 done`));
  });
});

describe('several databases', () => {
  it('are one fleet: the canaries go first, wherever they are, and each database is brought up to date', async () => {
    await using other = await startFleetWorld();
    await makePlacements(3, pets);
    await other.query(`update tenancy.migration_targets set dropping = true where target = 'pool'`);
    await publishMigrations(other.execute, [pets]);
    await other.query(`delete from tenancy.migration_files where version < '9'`);
    for (const schema of names(30, 'u')) await provisionSchema(other.execute, schema);
    const databases = [
      { name: 'one', execute: world.execute },
      { name: 'two', execute: other.execute },
    ];
    const options = { only: [...schemas, ...names(30, 'u')], canaries: 5, pollMs: 20 };
    const broken = migration('901', 'select 1 / 0');
    const report = await migrateFleet(databases, [pets, broken], options);
    expect(report).toMatchObject({ placements: 33, done: 0, failed: 5, stopped: 'canary' });
    expect(report.failures.map(({ database, placement }) => `${database} ${placement}`).sort()).toEqual([
      'one t_0001',
      'one t_0002',
      'one t_0003',
      'two u_0001',
      'two u_0002',
    ]);
    expect(await migrateFleet(databases, [pets, addName], options)).toMatchObject({
      placements: 33,
      done: 33,
      failed: 0,
    });
    expect(await other.ledger('901')).toEqual(names(30, 'u').map((schema) => `${schema} 901 done`));
  });

  it('are migrated though one cannot be reached, or is gone in the middle of it', async () => {
    await makePlacements(2, pets);
    const lost = (isThere: boolean, after: number): FleetDatabase => {
      let calls = 0;
      const execute: Execute = async (sql, parameters) => {
        if ((calls += 1) > after) throw Object.assign(new Error('lost'), { code: '42000' });
        return world.execute(sql, parameters);
      };
      return { name: 'lost', execute, isThere: () => Promise.resolve(isThere) };
    };
    const here = { name: 'main', execute: world.execute };
    const options = { only: schemas, canaries: 0, pollMs: 20 };
    const failure = { database: 'lost', placement: 'lost', version: 'database', sqlstate: '42000', error: 'lost' };
    expect(await migrateFleet([lost(true, 0), here], [pets, addName], options)).toMatchObject({
      done: 2,
      failures: [failure],
      stopped: undefined,
    });
    const addAge = migration('902', 'alter table pets add age int');
    expect(await migrateFleet([lost(true, 2), here], [pets, addName, addAge], options)).toMatchObject({
      done: 2,
      failures: [failure],
    });
    expect(await migrateFleet([lost(false, 0), here], [pets, addName, addAge], options)).toMatchObject({
      failures: [],
    });
    const nameless = { name: 'lost', execute: lost(true, 0).execute };
    await expect(migrateFleet([nameless, here], [pets, addName], options)).rejects.toThrow('lost');
  });
});

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { migrateFleet } from '../../shared/database/fleet.ts';
import type { FleetOptions } from '../../shared/database/fleet-run.ts';
import type { Execute, Migration } from '../../shared/database/migrator.ts';
import { publishMigrations } from '../../shared/database/provision.ts';
import { dropPlacement, type FleetWorld, migration, names, startFleetWorld } from '../helpers/fleet/fleet-world.ts';

let world: FleetWorld;
const schemas = names(4);
beforeAll(async () => {
  world = await startFleetWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

beforeEach(() => world.provision(schemas));
afterEach(async () => {
  await world.query('delete from tenancy.placements');
  for (const schema of schemas) await dropPlacement(world.execute, schema);
  await publishMigrations(world.execute, world.tenant);
});

const migrate = (more: readonly Migration[], options: FleetOptions = {}, execute: Execute = world.execute) =>
  migrateFleet([{ name: 'main', execute }], [...world.tenant, ...more], {
    only: schemas,
    canaries: 0,
    pollMs: 20,
    ...options,
  });

const indexes = () =>
  world.query<{ index: string; valid: boolean }>(
    `select i.indexrelid::regclass::text as index, i.indisvalid as valid from pg_index i
     where i.indexrelid::regclass::text ~ '^t_.*by_title' order by 1`,
  );
const valid = schemas.map((schema) => ({ index: `${schema}.by_title`, valid: true }));

const byTitle = migration(
  '900',
  'create index concurrently if not exists by_title on tasks (tenant_id, (lower(title)))',
  'alone',
);
const unique = migration(
  '900',
  'create unique index concurrently if not exists by_title on tasks (tenant_id, title)',
  'alone',
);

/** A tenant with two tasks of the same title. */
async function addTasks(tenant: string, schema: string, tasks = 2): Promise<void> {
  await world.query(`insert into tenancy.placements (tenant_id, schema) values ($1, $2)`, [tenant, schema]);
  await world.query(`select set_config('tenancy.capability', tenancy.mint($1), false)`, [tenant]);
  await world.query(`insert into ${schema}.projects (tenant_id, name) values ($1, 'one')`, [tenant]);
  await world.query(
    `insert into ${schema}.tasks (tenant_id, project_id, title) select $1, id, 'twin' from ${schema}.projects, generate_series(1, $2)
     where tenant_id = $1`,
    [tenant, tasks],
  );
}

describe('an index that is built while its table is used', () => {
  it('is built in every placement, between what comes before and after it', async () => {
    const before = migration('899', 'alter table tasks add early int');
    const after = migration('901', `comment on index by_title is 'built'`);
    expect(await migrate([before, byTitle, after])).toMatchObject({ placements: 4, done: 4, failed: 0 });
    expect(await indexes()).toEqual(valid);
    expect(await world.query(`select from pg_description where description = 'built'`)).toHaveLength(4);
    expect(await world.query('select * from tenancy.audit()')).toEqual([]);
    expect(await migrate([before, byTitle, after])).toMatchObject({ placements: 0 });
  });

  it('is dropped in every placement', async () => {
    await migrate([byTitle]);
    await migrate([byTitle, migration('901', 'drop index concurrently if exists by_title', 'alone')]);
    expect(await indexes()).toEqual([]);
  });

  it('is reported where it cannot be built, leaves nothing there, and is built when the cause is mended', async () => {
    await addTasks('acme', 't_0002');
    const report = await migrate([unique]);
    expect(report).toMatchObject({ done: 3, failures: [{ placement: 't_0002', version: '900', sqlstate: '23505' }] });
    expect(await indexes()).toEqual(valid.filter(({ index }) => !index.startsWith('t_0002')));
    await world.query('alter table t_0002.tasks disable row level security');
    await world.query(`update t_0002.tasks set title = id::text`);
    expect(await migrate([unique])).toMatchObject({ placements: 1, done: 1 });
    expect(await indexes()).toEqual(valid);
  });

  it('is built anew where a build that was killed has left an invalid one', async () => {
    await addTasks('acme', 't_0003');
    const build = world.execute('create unique index concurrently by_title on t_0003.tasks (tenant_id, title)');
    await expect(build).rejects.toThrow('SQLState: 23505');
    expect(await indexes()).toEqual([{ index: 't_0003.by_title', valid: false }]);
    await world.query(`insert into tenancy.migrations (target, version, checksum, state, run, started_at)
      values ('t_0003', '900', 'x', 'running', 'killed', now())`);
    expect(await migrate([byTitle], { leaseSeconds: 0, concurrency: 1 })).toMatchObject({ done: 4, failed: 0 });
    expect(await indexes()).toEqual(valid);
  });

  it('is done when the index is there, whatever the answer was', async () => {
    const lost: Execute = async (sql, parameters) => {
      const rows = await world.execute(sql, parameters);
      if (sql.includes('create index concurrently')) throw new Error('The answer was lost.');
      return rows;
    };
    expect(await migrate([byTitle], {}, lost)).toMatchObject({ done: 4, failed: 0 });
  });

  it('is waited for when it takes longer than a call does', async () => {
    const blocker = await world.postgres.connectAs('owner');
    await blocker.query('begin; lock table t_0001.tasks in row exclusive mode');
    let isLong = false;
    const long: Execute = async (sql, parameters) => {
      if (!sql.includes('create index concurrently') || !sql.includes('t_0001') || isLong)
        return world.execute(sql, parameters);
      isLong = true;
      // Goes on in the database, as it does when the Data API waits no longer.
      void world.execute(sql, parameters).catch(() => undefined);
      setTimeout(() => void blocker.query('commit'), 300);
      throw Object.assign(new Error('Statement timeout'), { name: 'StatementTimeoutException' });
    };
    expect(await migrate([byTitle], { leaseSeconds: 1 }, long)).toMatchObject({ done: 4, failed: 0 });
    expect(await indexes()).toEqual(valid);
  });

  const other = 'create index by_title on t_0002.tasks (tenant_id, created_at)';
  const definition = async (): Promise<string[]> => {
    const rows = await world.query<{ definition: string }>(
      `select pg_get_indexdef(to_regclass('t_0002.by_title')) as definition`,
    );
    return rows.map((row) => row.definition);
  };

  it('is not taken for one of the same name that somebody has made, and that one stays', async () => {
    await world.execute(other);
    expect(await migrate([byTitle])).toMatchObject({
      done: 3,
      failures: [{ placement: 't_0002', sqlstate: '42P07', error: expect.stringContaining('another index by_title') }],
    });
    expect(await definition()).toEqual([expect.stringContaining('created_at')]);
    await world.execute('drop index t_0002.by_title');
    expect(await migrate([byTitle])).toMatchObject({ done: 1, failed: 0 });
    expect(await indexes()).toEqual(valid);
  });

  it('is taken for one that somebody has made as the file says', async () => {
    await world.execute('create index by_title on t_0002.tasks using btree (tenant_id, lower(title))');
    const [before] = await world.query(`select 't_0002.by_title'::regclass::oid`);
    expect(await migrate([byTitle])).toMatchObject({ done: 4, failed: 0 });
    expect(await world.query(`select 't_0002.by_title'::regclass::oid`)).toEqual([before]);
  });

  it('is built anew where a runner that was killed has built it as an earlier edition of the file says', async () => {
    await world.execute(other);
    await world.query(`insert into tenancy.migrations (target, version, checksum, state, run, started_at)
      values ('t_0002', '900', 'an earlier edition', 'running', 'killed', now())`);
    expect(await migrate([byTitle], { leaseSeconds: 0, concurrency: 1 })).toMatchObject({ done: 4, failed: 0 });
    expect(await definition()).toEqual([expect.stringContaining('lower(title)')]);
    expect(
      await world.query(`select checksum from tenancy.migrations where target = 't_0002' and version = '900'`),
    ).toEqual([{ checksum: byTitle.checksum }]);
  });

  it('is built once by two runs at once', async () => {
    let builds = 0;
    const counting: Execute = async (sql, parameters) => {
      if (sql.includes('create index concurrently')) builds += 1;
      return world.execute(sql, parameters);
    };
    const reports = await Promise.all([1, 2].map(() => migrate([byTitle], { leaseSeconds: 5 }, counting)));
    expect(reports.map(({ failed }) => failed)).toEqual([0, 0]);
    expect(builds).toBe(4);
    expect(await indexes()).toEqual(valid);
  });
});

describe('a backfill', () => {
  const backfill = migration(
    '900',
    `update tasks set assignee = current_setting('tenancy.capability') where id in (select id from tasks where assignee is null limit 3)`,
    'each-tenant',
  );
  const filled = async () => {
    await world.query('alter table t_0001.tasks disable row level security');
    const rows = await world.query<{ line: string }>(
      `select tenant_id || ' ' || split_part(assignee, '.', 3) || ' ' || count(*) as line from t_0001.tasks group by tenant_id, split_part(assignee, '.', 3) order by 1`,
    );
    await world.query('alter table t_0001.tasks enable row level security');
    return rows.map(({ line }) => line);
  };

  it('runs as each tenant, in batches, until nothing is left, also for one that is suspended', async () => {
    for (const tenant of ['acme', 'globex', 'hooli']) await addTasks(tenant, 't_0001', 10);
    await world.query(`select tenancy.set_placement('hooli', 't_0001', 'suspended')`);
    expect(await migrate([backfill], { callMs: 1 })).toMatchObject({ done: 4, failed: 0 });
    expect(await filled()).toEqual(['acme acme 10', 'globex globex 10', 'hooli hooli 10']);
    expect(await world.query(`select tenant_id, rows::int, is_done from tenancy.backfills order by 1`)).toEqual(
      ['acme', 'globex', 'hooli'].map((tenant_id) => ({ tenant_id, rows: 10, is_done: true })),
    );
    expect(await world.query(`select state from tenancy.placements where tenant_id = 'hooli'`)).toEqual([
      { state: 'suspended' },
    ]);
    expect(await migrate([backfill])).toMatchObject({ placements: 0 });
  });

  it('keeps what was done when it is stopped, and goes on from there', async () => {
    for (const tenant of ['acme', 'globex']) await addTasks(tenant, 't_0001', 10);
    let calls = 0;
    const stopping: Execute = async (sql, parameters) => {
      if (sql.includes('backfill_some') && (calls += 1) > 3)
        throw Object.assign(new Error('killed'), { code: '42000' });
      return world.execute(sql, parameters);
    };
    await expect(migrate([backfill], { callMs: 1, concurrency: 1 }, stopping)).rejects.toThrow('killed');
    const [done] = await world.query<{ rows: number }>('select sum(rows)::int as rows from tenancy.backfills');
    expect(done?.rows).toBe(9);
    expect(await world.ledger('900')).toContain('t_0001 900 running');
    expect(await migrate([backfill])).toMatchObject({ done: 4 });
    expect(await filled()).toEqual(['acme acme 10', 'globex globex 10']);
  });

  it('cannot reach the rows of another tenant, and is reported with the tenant it failed for', async () => {
    for (const tenant of ['acme', 'globex']) await addTasks(tenant, 't_0001');
    const reaches = migration(
      '900',
      `update tasks set title = 'reached' where tenant_id = 'globex' and title <> 'reached' and
      current_setting('tenancy.capability') like '%.acme.%'`,
      'each-tenant',
    );
    expect(await migrate([reaches])).toMatchObject({ done: 4 });
    expect(await world.query(`select from tenancy.backfills where rows > 0`)).toEqual([]);
    const fails = migration('901', `update tasks set estimate_minutes = -1 where tenant_id = 'globex'`, 'each-tenant');
    expect(await migrate([reaches, fails])).toMatchObject({
      done: 3,
      failures: [
        {
          placement: 't_0001',
          version: '901',
          sqlstate: '23514',
          error: expect.stringContaining('for the tenant globex'),
        },
      ],
    });
  });
});

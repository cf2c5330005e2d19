import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { migrateFleet } from '../../shared/database/fleet.ts';
import type { FleetOptions } from '../../shared/database/fleet-run.ts';
import type { Execute, Migration } from '../../shared/database/migrator.ts';
import { publishMigrations } from '../../shared/database/provision.ts';
import { dropPlacement, type FleetWorld, migration, startFleetWorld } from '../helpers/fleet/fleet-world.ts';

let world: FleetWorld;
const schema = 't_fill';
const tenants = ['acme', 'globex', 'hooli'];
beforeAll(async () => {
  world = await startFleetWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

beforeEach(async () => {
  await world.provision([schema, 't_other']);
  for (const tenant of tenants) await addTasks(tenant, 10);
});
afterEach(async () => {
  await world.query('delete from tenancy.placements');
  for (const each of [schema, 't_other']) await dropPlacement(world.execute, each);
  await publishMigrations(world.execute, world.tenant);
});

async function addTasks(tenant: string, tasks: number): Promise<void> {
  await world.query(`insert into tenancy.placements (tenant_id, schema) values ($1, $2)`, [tenant, schema]);
  await world.query(`select set_config('tenancy.capability', tenancy.mint($1), false)`, [tenant]);
  await world.query(`insert into ${schema}.projects (tenant_id, name) values ($1, 'one')`, [tenant]);
  await world.query(
    `insert into ${schema}.tasks (tenant_id, project_id, title)
     select $1, id, 'task' from ${schema}.projects, generate_series(1, $2) where tenant_id = $1`,
    [tenant, tasks],
  );
}

const migrate = (more: readonly Migration[], options: FleetOptions = {}, execute: Execute = world.execute) =>
  migrateFleet([{ name: 'main', execute }], [...world.tenant, ...more], {
    only: [schema, 't_other'],
    canaries: 0,
    pollMs: 20,
    ...options,
  });

const fill = (version: string, value: string, condition = ''): Migration =>
  migration(
    version,
    `update tasks set assignee = '${value}' where id in (select id from tasks where assignee is null limit 3) ${condition}`,
    'each-tenant',
  );

/** `tenant assignee rows` */
async function filled(): Promise<string[]> {
  await world.query(`alter table ${schema}.tasks disable row level security`);
  const rows = await world.query<{ line: string }>(
    `select concat_ws(' ', tenant_id, assignee, count(*)) as line from ${schema}.tasks group by tenant_id, assignee order by 1`,
  );
  await world.query(`alter table ${schema}.tasks enable row level security`);
  return rows.map(({ line }) => line);
}

describe('a backfill', () => {
  it('that fails for one tenant is done for the others, says for whom, and runs for that one alone when that is mended', async () => {
    await world.query(
      `alter table ${schema}.tasks add constraint sick check (tenant_id <> 'acme' or assignee is null) not valid`,
    );
    expect(await migrate([fill('900', 'ann')])).toMatchObject({
      done: 1,
      failures: [
        {
          placement: schema,
          version: '900',
          sqlstate: '23514',
          error: expect.stringContaining('for the tenant acme:'),
        },
      ],
    });
    expect(await filled()).toEqual(['acme 10', 'globex ann 10', 'hooli ann 10']);
    await world.query(`alter table ${schema}.tasks drop constraint sick`);
    expect(await migrate([fill('900', 'ann')])).toMatchObject({ done: 1, failed: 0 });
    expect(await filled()).toEqual(['acme ann 10', 'globex ann 10', 'hooli ann 10']);
  });

  it('that fails for several tenants names them', async () => {
    await world.query(
      `alter table ${schema}.tasks add constraint sick check (tenant_id = 'hooli' or assignee is null) not valid`,
    );
    const { failures } = await migrate([fill('900', 'ann')]);
    expect(failures).toMatchObject([{ error: expect.stringContaining('failed for 2 tenants (acme, globex): ') }]);
    expect(await filled()).toEqual(['acme 10', 'globex 10', 'hooli ann 10']);
  });

  it('waits for a tenant that is being moved, and leaves nobody behind meanwhile', async () => {
    await world.query(`update tenancy.placements set state = 'moving' where tenant_id = 'acme'`);
    let isOver = false;
    const moving: Execute = async (sql, parameters) => {
      const rows = await world.execute(sql, parameters);
      const others = await world.query(`select from tenancy.backfills where is_done`);
      const isDone = others.length === 2 && (await world.ledger('900')).includes('t_other 900 done');
      if (sql.includes('fleet_left') && isDone && !isOver) {
        isOver = true;
        await world.query(`update tenancy.placements set state = 'active' where tenant_id = 'acme'`);
      }
      return rows;
    };
    expect(await migrate([fill('900', 'ann')], { callMs: 1 }, moving)).toMatchObject({ done: 2, failed: 0 });
    expect(isOver).toBe(true);
    expect(await filled()).toEqual(['acme ann 10', 'globex ann 10', 'hooli ann 10']);
  });

  it('leaves alone a tenant that has moved away meanwhile', async () => {
    await world.query(`update tenancy.placements set state = 'moving' where tenant_id = 'acme'`);
    const moved: Execute = async (sql, parameters) => {
      if (sql.includes('backfill_some'))
        await world.query(`update tenancy.placements set state = 'moved' where tenant_id = 'acme'`);
      return world.execute(sql, parameters);
    };
    expect(await migrate([fill('900', 'ann')], {}, moved)).toMatchObject({ done: 2, failed: 0 });
    expect(await filled()).toEqual(['acme 10', 'globex ann 10', 'hooli ann 10']);
  });

  it('that does not come to an end fails, and says why', async () => {
    await addTasks('big', 2_000);
    const same = migration('900', `update tasks set title = 'same'`, 'each-tenant');
    expect(await migrate([same], { callMs: 60_000 })).toMatchObject({
      done: 1,
      failures: [{ sqlstate: '54000', error: expect.stringContaining('does not come to an end') }],
    });
  });

  it('writes more rows than there are at the start of most, when these are so many', { timeout: 60_000 }, async () => {
    await addTasks('big', 12_000);
    const every = migration(
      '900',
      `update tasks set assignee = 'ann' where id in (select id from tasks where assignee is null limit 4000)`,
      'each-tenant',
    );
    expect(await migrate([every])).toMatchObject({ done: 2, failed: 0 });
    expect(await filled()).toContain('big ann 12000');
  });

  it('by two runs at once is done once', async () => {
    const counting = migration(
      '900',
      `update tasks set estimate_minutes = coalesce(estimate_minutes, 0) + 1
       where id in (select id from tasks where estimate_minutes is null limit 2)`,
      'each-tenant',
    );
    const reports = await Promise.all([1, 2].map(() => migrate([counting], { callMs: 1 })));
    expect(reports.map(({ failed, stopped }) => ({ failed, stopped }))).toEqual(
      [1, 2].map(() => ({ failed: 0, stopped: undefined })),
    );
    expect(reports.reduce((sum, { done }) => sum + done, 0)).toBe(2);
    await world.query(`alter table ${schema}.tasks disable row level security`);
    expect(await world.query(`select distinct estimate_minutes from ${schema}.tasks`)).toEqual([
      { estimate_minutes: 1 },
    ]);
    expect(await world.query(`select rows::int from tenancy.backfills`)).toEqual(tenants.map(() => ({ rows: 10 })));
  });
});

describe('a backfill whose file was changed when it had run for some tenants', () => {
  const first = fill('900', 'ann');
  const second = fill('900', 'bob');

  /** Stops after two calls, when the first tenant has been filled in part. */
  async function begin(): Promise<void> {
    let calls = 0;
    const stopping: Execute = async (sql, parameters) => {
      if (sql.includes('backfill_some') && (calls += 1) > 2)
        throw Object.assign(new Error('killed'), { code: '42000' });
      return world.execute(sql, parameters);
    };
    await expect(migrate([first], { callMs: 1, concurrency: 1, only: [schema] }, stopping)).rejects.toThrow('killed');
    expect(await filled()).toContain('acme ann 6');
  }

  it('is refused', async () => {
    await begin();
    await expect(migrate([second])).rejects.toMatchObject({
      name: 'EditedMigrationError',
      message: expect.stringContaining(
        `Migration 900 was changed after it had run for 1 tenants, for instance in ${schema}`,
      ),
    });
    expect(await filled()).toContain('acme ann 6');
    expect(await migrate([first])).toMatchObject({ failed: 0, stopped: undefined });
  });

  it('goes on with what is left where it says that it replaces that edition', async () => {
    await begin();
    expect(await migrate([{ ...second, replaces: [first.checksum] }])).toMatchObject({ done: 2, failed: 0 });
    expect(await filled()).toEqual(['acme ann 6', 'acme bob 4', 'globex bob 10', 'hooli bob 10']);
  });

  it('is taken where it has failed for all', async () => {
    expect(await migrate([fill('900', 'ann', 'and 1 / 0 = 1')], { only: [schema] })).toMatchObject({ failed: 1 });
    expect(await migrate([second])).toMatchObject({ failed: 0, stopped: undefined });
    expect(await filled()).toEqual(['acme bob 10', 'globex bob 10', 'hooli bob 10']);
  });
});

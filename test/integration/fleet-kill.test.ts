import { afterAll, beforeAll, expect, it } from 'vitest';
import { migrateFleet } from '../../shared/database/fleet.ts';
import { applyMigrations, type Execute } from '../../shared/database/migrator.ts';
import { provisionSchema, publishMigrations } from '../../shared/database/provision.ts';
import { dropPlacement, type FleetWorld, migration, startFleetWorld } from '../helpers/fleet/fleet-world.ts';

let world: FleetWorld;
beforeAll(async () => {
  world = await startFleetWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

/** One of each kind, and around them what tells when something ran twice. */
const more = [
  migration('900', `create table ran (version text); insert into ran values ('900')`),
  migration('901', 'create index concurrently if not exists by_title on tasks (tenant_id, title)', 'alone'),
  migration('902', `insert into ran values ('902'); alter table tasks add seen int`),
  migration(
    '903',
    'update tasks set seen = 1 where id in (select id from tasks where seen is null limit 2)',
    'each-tenant',
  ),
  migration('904', `insert into ran values ('904')`),
];

interface Kill {
  /** The call that is the last one, counted from 0. */
  readonly call: number;
  /** Whether the database hears of it. */
  readonly isSent: boolean;
}

/** A runner that stands still for ever at some call, as one does that was killed. */
function killed({ call, isSent }: Kill): { execute: Execute; stopped: Promise<void> } {
  let calls = 0;
  let stop: () => void = () => undefined;
  const stopped = new Promise<void>((resolve) => (stop = resolve));
  const execute: Execute = async (sql, parameters) => {
    const current = calls;
    calls += 1;
    if (current === call && isSent) await world.execute(sql, parameters).catch(() => undefined);
    if (current < call) return world.execute(sql, parameters);
    stop();
    return new Promise(() => undefined);
  };
  return { execute, stopped };
}

let prefixes = 0;

/** Two placements as the product has them, with a tenant and its tasks in one of them. */
async function makePlacements(): Promise<string[]> {
  prefixes += 1;
  const schemas = [`k${prefixes}_a`, `k${prefixes}_b`];
  for (const schema of schemas) await applyMigrations(world.execute, schema, world.tenant);
  const tenant = `tenant-${prefixes}`;
  await world.query(`insert into tenancy.placements (tenant_id, schema) values ($1, $2)`, [tenant, schemas[0]]);
  await world.query(`select set_config('tenancy.capability', tenancy.mint($1), false)`, [tenant]);
  await world.query(`insert into ${schemas[0] ?? ''}.projects (tenant_id, name) values ($1, 'one')`, [tenant]);
  await world.query(
    `insert into ${schemas[0] ?? ''}.tasks (tenant_id, project_id, title)
     select $1, id, 'task' from ${schemas[0] ?? ''}.projects, generate_series(1, 5)`,
    [tenant],
  );
  return schemas;
}

const migrate = (schemas: readonly string[], execute: Execute) =>
  migrateFleet([{ name: 'main', execute }], [...world.tenant, ...more], {
    only: schemas,
    canaries: 1,
    concurrency: 1,
    pollMs: 10,
    callMs: 1,
    leaseSeconds: 0,
  });

/** What is there in the end, without names. */
async function traces(schemas: readonly string[]): Promise<unknown> {
  return Promise.all(
    schemas.map(async (schema) => {
      await world.query(`alter table ${schema}.tasks disable row level security`);
      return {
        ledger: await world.query(
          `select version, checksum, state, error from tenancy.migrations where target = $1 order by 1`,
          [schema],
        ),
        ran: await world.query(`select version from ${schema}.ran order by 1`),
        seen: await world.query(`select seen, count(*)::int from ${schema}.tasks group by 1`),
        backfilled: await world.query(`select rows::int, is_done from tenancy.backfills where target = $1`, [schema]),
        indexes: await world.query(
          `select c.relname, i.indisvalid from pg_index i join pg_class c on c.oid = i.indexrelid where c.relnamespace = $1::regnamespace order by 1`,
          [schema],
        ),
      };
    }),
  );
}

it('a fleet ends in the same wherever its runner is killed and another one runs', { timeout: 300_000 }, async () => {
  const undisturbed = await makePlacements();
  const calls: string[] = [];
  const report = await migrate(undisturbed, (sql, parameters) => {
    calls.push(/tenancy\.(\w+)|create index|drop index/.exec(sql)?.[0] ?? sql);
    return world.execute(sql, parameters);
  });
  expect(report).toMatchObject({ placements: 2, done: 2, failed: 0 });
  expect(new Set(calls)).toEqual(
    new Set(
      'fleet_state publish fleet_left run_outcome migrate_some claim_alone index_state finish_alone backfill_some'
        .split(' ')
        .map((name) => `tenancy.${name}`)
        .concat('create index'),
    ),
  );
  const expected = await traces(undisturbed);
  for (let call = 0; call < calls.length; call += 1) {
    for (const isSent of [false, true]) {
      const schemas = await makePlacements();
      const { execute, stopped } = killed({ call, isSent });
      void migrate(schemas, execute);
      await stopped;
      expect(await migrate(schemas, world.execute), `killed at call ${call}`).toMatchObject({
        failed: 0,
        stopped: undefined,
      });
      expect(await traces(schemas), `killed at call ${call}, ${calls[call] ?? ''}${isSent ? ', sent' : ''}`).toEqual(
        expected,
      );
    }
  }
});

it('a placement ends in the same wherever its provisioning, or its dropping, is killed and begun again', async () => {
  await publishMigrations(world.execute, [...world.tenant, ...more]);
  const known = async (schema: string) => [
    await world.query('select from tenancy.migrations where target = $1', [schema]),
    await world.query('select from pg_namespace where nspname = $1', [schema]),
    await world.query('select from tenancy.migration_targets where target = $1', [schema]),
  ];
  for (const isSent of [false, true]) {
    const schema = `provisioned_${String(isSent)}`;
    const { execute, stopped } = killed({ call: 0, isSent });
    void provisionSchema(execute, schema);
    await stopped;
    await provisionSchema(world.execute, schema);
    expect((await known(schema)).map((rows) => rows.length)).toEqual([world.tenant.length + more.length, 1, 1]);
    const dropping = killed({ call: 0, isSent });
    void dropPlacement(dropping.execute, schema);
    await dropping.stopped;
    await dropPlacement(world.execute, schema);
    expect(await known(schema)).toEqual([[], [], []]);
  }
});

import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { deploy, goOn } from '../../functions/migrate/service.ts';
import { statusOf } from '../../functions/migrate/status.ts';
import type { System } from '../../functions/migrate/system.ts';
import { databaseRoles, mainCluster, tenantHomeName } from '../../shared/contract/index.ts';
import { readLastFleetRun, recordFleetRun } from '../../shared/database/fleet-runs.ts';
import { beginRun, type FleetRunCounts } from '../../shared/fleet/index.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';
import { executeWith } from '../helpers/database-template.ts';
import { type SiloRunner, startSiloRunner } from '../helpers/silo-runner.ts';
import { file, weight } from '../helpers/two-silos.ts';

let runner: SiloRunner;
let database: TestDatabase;
beforeAll(async () => {
  runner = await startSiloRunner();
});
afterAll(() => runner[Symbol.asyncDispose]());
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database[Symbol.asyncDispose]());

const last = () => readLastFleetRun(executeWith(database.owner));
const forever = Number.POSITIVE_INFINITY;
const addSilos = async (count: number): Promise<string[]> => {
  const tenantIds = Array.from({ length: count }, () => runner.newTenant());
  for (const tenantId of tenantIds) await runner.addSilo(tenantId, database);
  // Long before any run: what has changed since one began is looked at twice.
  await database.superuser.query(`update registry.tenants set updated_at = now() - interval '1 hour'`);
  return tenantIds.sort();
};

describe('what the registry is told of a run', () => {
  const counts: FleetRunCounts = {
    id: randomUUID(),
    state: 'running',
    slice: 1,
    place: 'shared all',
    done: 10,
    failed: 0,
    missing: 0,
    putOff: 0,
    placements: 20,
    seen: 10,
    causes: [],
    error: null,
  };
  const tell = async (changes: Partial<FleetRunCounts>) => {
    await recordFleetRun(executeWith(database.owner), { ...counts, ...changes });
    return last();
  };

  it('is in place of what it was told before, and says since when nothing has moved', async () => {
    expect(await last()).toBeUndefined();
    const first = await tell({});
    expect(first).toMatchObject({ ...counts, endedAt: null });
    const stuck = await tell({ slice: 2 });
    expect(stuck).toMatchObject({ slice: 2, startedAt: first?.startedAt, movedAt: first?.movedAt });
    expect(stuck?.updatedAt).not.toBe(first?.updatedAt);
    const moved = await tell({ slice: 3, place: 'silos all t-1' });
    expect(moved).toMatchObject({ movedAt: moved?.updatedAt });
    expect(moved?.movedAt).not.toBe(first?.movedAt);
    const ended = await tell({ slice: 4, state: 'done', place: 'done done', done: 12 });
    expect(ended).toMatchObject({ state: 'done', done: 12, endedAt: ended?.updatedAt });
  });

  it('stays as it is when it is told twice, late, or after the end', async () => {
    const other = randomUUID();
    await tell({ id: other });
    await tell({ slice: 2, done: 20 });
    for (const late of [
      { slice: 1, done: 10 },
      { slice: 1, done: 30, state: 'failed' as const },
      { slice: 2, done: 15 },
    ])
      expect(await tell(late)).toMatchObject({ slice: 2, done: 20, state: 'running' });
    const told = await tell({ slice: 2, done: 20 });
    expect(told).toMatchObject({ slice: 2, done: 20, movedAt: told?.movedAt });
    await tell({ slice: 3, done: 20, state: 'stopped', error: 'no' });
    expect(await tell({ slice: 4, done: 40 })).toMatchObject({ slice: 3, done: 20, state: 'stopped', error: 'no' });
    const { rows } = await database.superuser.query(
      'select id, done::int from registry.fleet_runs order by started_at',
    );
    expect(rows).toEqual([
      { id: other, done: 10 },
      { id: counts.id, done: 20 },
    ]);
  });

  it('is a row of the Data API, however long its errors are', async () => {
    const causes = Array.from({ length: 10 }, (_, n) => ({
      version: `${n}`,
      sqlstate: '22012',
      error: '€'.repeat(500),
      count: 100,
      placements: Array.from({ length: 5 }, () => 'p'.repeat(63)),
    }));
    await tell({ causes, error: '€'.repeat(1_000) });
    const { lastRun } = await statusOf(runner.systemFor(database), forever);
    expect(lastRun).toMatchObject({ causes });
  });

  it('is missing, and nothing else of the status, where the registry is of an earlier version', async () => {
    await database.superuser.query('drop table registry.fleet_runs cascade');
    expect(await statusOf(runner.systemFor(database), forever)).toEqual({ databases: [expect.anything()] });
  });

  it.each(['app', 'authorizer', 'control', 'operations'] as const)('is not for the role %s', async (role) => {
    const client = await database.connectAs(role);
    for (const sql of [
      'select from registry.fleet_runs',
      'delete from registry.fleet_runs',
      `select registry.record_fleet_run('{}')`,
    ])
      await expect(client.query(sql)).rejects.toMatchObject({ code: '42501' });
  });
});

describe('a run of the migration runner', () => {
  it('is seen when it is handed over, after each slice, and when it is done', { timeout: 60_000 }, async () => {
    await addSilos(1);
    const system = runner.systemFor(database, { tenant: [weight] });
    const seen: unknown[] = [];
    const progress = await deploy(system, 0, async () => void seen.push(await last()));
    expect(seen).toMatchObject([{ id: progress.run, state: 'running', slice: 1, done: 0, endedAt: null }]);
    const second = await goOn(system, progress, 0);
    expect(await last()).toMatchObject({
      state: 'running',
      slice: 2,
      done: 0,
      startedAt: (seen[0] as object & { startedAt: string }).startedAt,
    });
    await goOn(system, second, forever);
    // The pool, and one database.
    expect(await last()).toMatchObject({ id: progress.run, state: 'done', slice: 3, done: 2, failed: 0, error: null });
  });

  it('is seen though its deployment was killed', async () => {
    const system = runner.systemFor(database, { tenant: [weight] });
    const seen: unknown[] = [];
    const info: typeof system.log.info = () => void seen.push(last());
    await deploy({ ...system, log: { ...system.log, info } });
    expect((await Promise.all(seen)).at(-1)).toMatchObject({ state: 'running', slice: 0 });
    expect(await last()).toMatchObject({ state: 'done', slice: 1 });
  });

  it(
    'counts each placement once, though a slice was killed before it was written down, and all was begun again',
    { timeout: 90_000 },
    async () => {
      await addSilos(2);
      await database.owner.query(`select tenancy.provision('t_bridge')`);
      const system = runner.systemFor(database, { tenant: [weight] });
      const begun = await deploy(system, 0);
      const kill = (name: string, other: string) =>
        database.owner.query(`alter function registry.${name}(jsonb) rename to ${other}`);
      await kill('record_fleet_run', 'killed');
      await expect(goOn(system, begun, forever)).rejects.toThrow('record_fleet_run');
      expect(await last()).toMatchObject({ slice: 1, done: 0, state: 'running' });
      await kill('killed', 'record_fleet_run');
      // All of it was done by the one that was killed.
      const again = await goOn(system, begun, forever);
      expect(again).toMatchObject({ shared: { done: 2 }, silos: { done: 2 } });
      const recorded = await last();
      expect(recorded).toMatchObject({ slice: 2, done: 4, failed: 0, state: 'done' });
      await goOn(system, begun, forever);
      expect(await last()).toEqual(recorded);
    },
  );

  it('that failed says where and why, and the next one counts what it does itself', { timeout: 90_000 }, async () => {
    const [one = ''] = await addSilos(2);
    const system = runner.systemFor(database, { tenant: [weight] });
    const broken = tenantHomeName(one);
    const inSilo = async (sql: string) => (await runner.connect(databaseRoles.owner, broken)).query(sql);
    await inSilo(`alter table ${broken}.tasks add weight text; select tenancy.hide_values('${broken}.tasks')`);
    const begun = await deploy(system, 0);
    await expect(goOn(system, begun, forever)).rejects.toMatchObject({ name: 'FleetError' });
    expect(await last()).toMatchObject({
      state: 'failed',
      done: 2,
      failed: 1,
      error: expect.stringContaining('2 of 3 placements migrated, 1 failed'),
      causes: [{ version: '900_weight', count: 1, placements: [broken], error: expect.stringContaining('<schema>') }],
    });
    await inSilo(`alter table ${broken}.tasks drop weight`);
    await goOn(system, beginRun(), forever);
    expect(await last()).toMatchObject({ state: 'done', done: 1, failed: 0, causes: [], error: null });
  });

  it('that was stopped, since too many failed, says so', async () => {
    await database.superuser.query(
      `insert into registry.tenants (tenant_id, name, plan, model, cluster, database, schema, secret_arn)
       select id, id, 'free', 'silo', $1, id, id, 'none' from (select 'gone-' || n as id from generate_series(10, 40) n) g`,
      [mainCluster],
    );
    await expect(goOn(runner.systemFor(database), beginRun(), forever)).rejects.toThrow('Too many failed');
    expect(await last()).toMatchObject({
      state: 'stopped',
      failed: 12,
      missing: 12,
      error: expect.stringContaining('Too many failed, so the rest was left alone.'),
    });
    await database.owner.query(`select tenancy.provision('t_bridge')`);
    await database.owner.query(
      `alter table t_bridge.tasks add weight text; select tenancy.hide_values('t_bridge.tasks')`,
    );
    await expect(deploy(runner.systemFor(database, { tenant: [weight] }))).rejects.toThrow('A canary failed');
    expect(await last()).toMatchObject({ state: 'stopped', causes: [{ placements: ['t_bridge'] }] });
  });

  it('leaves the rest to a later one, and publishes nothing any more', { timeout: 90_000 }, async () => {
    const [tenantId = ''] = await addSilos(1);
    const [old, later] = [[weight], [weight, file('901_colour', 'alter table tasks add colour text')]].map((tenant) =>
      runner.systemFor(database, { tenant }),
    ) as [System, System];
    const handedOn = await deploy(old, 0);
    await deploy(later);
    const published = () => database.owner.query('select version from tenancy.migration_files order by version');
    const { rows } = await published();
    expect(rows.at(-1)).toEqual({ version: '901_colour' });
    expect(await goOn(old, handedOn, forever)).toMatchObject({ phase: 'done', isOvertaken: true });
    expect((await published()).rows).toEqual(rows);
    const inSilo = await runner.connect(databaseRoles.owner, tenantHomeName(tenantId));
    expect((await inSilo.query('select version from tenancy.migration_files order by version')).rows).toEqual(rows);
    expect(await last()).toMatchObject({ state: 'done' });
    expect((await database.owner.query('select state from registry.fleet_runs order by started_at')).rows).toEqual([
      { state: 'overtaken' },
      { state: 'done' },
    ]);
  });

  it('that fails in what tenants share is seen, too', async () => {
    await database.superuser.query('alter table pool.tasks add weight text');
    await database.superuser.query(`select tenancy.hide_values('pool.tasks')`);
    await expect(deploy(runner.systemFor(database, { tenant: [weight] }))).rejects.toMatchObject({
      name: 'ClustersError',
    });
    expect(await last()).toMatchObject({ state: 'failed', error: expect.stringContaining('900_weight') });
  });

  it('that failed otherwise says why', async () => {
    await database.superuser.query('alter table pool.tasks no force row level security');
    const system = runner.systemFor(database);
    await expect(deploy(system)).rejects.toMatchObject({ name: 'AuditError' });
    expect(await last()).toMatchObject({ state: 'failed', error: expect.stringContaining('pool.tasks') });
    await database.superuser.query('alter table pool.tasks force row level security');
    const refused = deploy(system, 0, () => Promise.reject(new Error('Lambda is gone.')));
    await expect(refused).rejects.toThrow('Lambda is gone.');
    expect(await last()).toMatchObject({ state: 'failed', error: 'Lambda is gone.' });
  });
});

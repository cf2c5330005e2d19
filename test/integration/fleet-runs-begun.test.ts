import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { deploy, goOn } from '../../functions/migrate/service.ts';
import type { System } from '../../functions/migrate/system.ts';
import { readLastFleetRun } from '../../shared/database/fleet-runs.ts';
import { beginRun, fleetRunSchema, type RecordedFleetRun } from '../../shared/fleet/index.ts';
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
afterEach(async () => {
  vi.restoreAllMocks();
  await database[Symbol.asyncDispose]();
});

const forever = Number.POSITIVE_INFINITY;
const last = () => readLastFleetRun(executeWith(database.owner));
const runs = async () =>
  (await database.owner.query('select id, state from registry.fleet_runs order by started_at')).rows as object[];

/** As the control plane does it. */
async function begin(): Promise<RecordedFleetRun> {
  const control = await database.connectAs('control');
  const request = { id: randomUUID(), actor: 'olga', lostAfterSeconds: 60 };
  const { rows } = await control.query('select registry.begin_fleet_run($1) as answer', [JSON.stringify(request)]);
  const [{ answer }] = rows as [{ answer: { outcome: string; run: unknown } }];
  expect(answer.outcome).toBe('begun');
  return fleetRunSchema.parse(answer.run);
}

it('touches what has failed, once that is mended, and nothing else', { timeout: 60_000 }, async () => {
  const ofSchema = (sql: string) => database.owner.query(`${sql}; select tenancy.hide_values('t_sick.tasks')`);
  for (const schema of ['t_sick', 't_well']) await database.owner.query(`select tenancy.provision('${schema}')`);
  await ofSchema('alter table t_sick.tasks add weight text');
  const system = runner.systemFor(database, { tenant: [weight] });
  await expect(deploy(system)).rejects.toMatchObject({ name: 'FleetError' });
  expect(await last()).toMatchObject({ done: 1, failed: 1, actor: null });
  await ofSchema('alter table t_sick.tasks drop weight');
  const { id } = await begin();
  await goOn(system, beginRun(id), forever);
  const one = { done: 1, failed: 0, placements: 1, seen: 1 };
  expect(await last()).toMatchObject({ id, state: 'done', slice: 1, actor: 'olga', ...one });
});

it('is seen as soon as it is gone on with, be it that nobody has written it down before', async () => {
  const system = runner.systemFor(database);
  const progress = beginRun();
  const seen: unknown[] = [];
  const info: System['log']['info'] = () => void seen.push(last());
  await goOn({ ...system, log: { ...system.log, info } }, progress, forever);
  expect(await seen[0]).toMatchObject({ id: progress.run, state: 'running', slice: 0 });
});

it('is overtaken by a deployment that begins later, and publishes nothing any more', async () => {
  const [old, later] = [[weight], [weight, file('901_colour', 'alter table tasks add colour text')]].map((tenant) =>
    runner.systemFor(database, { tenant }),
  ) as [System, System];
  const { id } = await begin();
  const { run } = await deploy(later);
  expect(await goOn(old, beginRun(id), forever)).toMatchObject({ phase: 'done', isOvertaken: true });
  expect(await runs()).toEqual([
    { id, state: 'overtaken' },
    { id: run, state: 'done' },
  ]);
  const { rows } = await database.owner.query('select max(version) as version from tenancy.migration_files');
  expect(rows).toEqual([{ version: '901_colour' }]);
});

it('overtakes a deployment that was taken for lost, and goes on after all', async () => {
  const system = runner.systemFor(database, { tenant: [weight] });
  const handedOn = await deploy(system, 0);
  await database.superuser.query(`update registry.fleet_runs set updated_at = now() - interval '1 hour'`);
  const { id } = await begin();
  expect(await goOn(system, handedOn, forever)).toMatchObject({ phase: 'done', isOvertaken: true });
  await goOn(system, beginRun(id), forever);
  expect(await runs()).toEqual([
    { id: handedOn.run, state: 'overtaken' },
    { id, state: 'done' },
  ]);
});

it('begins after a deployment that was about to be written down, so that one of the two sees the other', async () => {
  const deployment = await database.connectAs('owner');
  await deployment.query('begin');
  await deployment.query(`select registry.record_fleet_run($1)`, [
    JSON.stringify({
      id: randomUUID(),
      state: 'done',
      slice: 1,
      place: '',
      done: 0,
      failed: 0,
      missing: 0,
      put_off: 0,
      placements: 0,
      seen: 0,
      causes: [],
    }),
  ]);
  const begun = begin();
  const isWaiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  await vi.waitUntil(async () => (await database.superuser.query(isWaiting)).rowCount === 1);
  await deployment.query('commit');
  const { id } = await begun;
  expect((await runs()).at(-1)).toMatchObject({ id });
});

it('shows while it is at work how far it is', { timeout: 60_000 }, async () => {
  const silos = 6;
  for (let n = 0; n < silos; n += 1) await runner.addSilo(runner.newTenant(), database);
  await database.superuser.query(`update registry.tenants set updated_at = now() - interval '1 hour'`);
  const now = Date.now;
  let passedMs = 0;
  vi.spyOn(Date, 'now').mockImplementation(() => now() + passedMs);
  const seen: Promise<RecordedFleetRun | undefined>[] = [];
  const system = runner.systemFor(database, { tenant: [weight] });
  const info: System['log']['info'] = () => {
    passedMs += 10_000;
    seen.push(last());
  };
  await goOn({ ...system, log: { ...system.log, info } }, beginRun(), forever, forever);
  const placements = silos + 1;
  expect(await Promise.all(seen)).toContainEqual(
    expect.objectContaining({ state: 'running', slice: 1, placements, seen: 5, done: 5 }),
  );
  expect(await last()).toMatchObject({ state: 'done', slice: 1, placements, seen: placements, done: placements });
});

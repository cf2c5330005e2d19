import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { getMigrationRun, migrate } from '../../functions/control-plane/migrations.ts';
import { listAuditEntries } from '../../shared/control/index.ts';
import { recordFleetRun } from '../../shared/database/fleet-runs.ts';
import {
  type FleetRunCounts,
  lostAfterSeconds,
  type Progress,
  type RecordedFleetRun,
} from '../../shared/fleet/index.ts';
import { enterOperator, runInTenantScope } from '../../shared/tenancy/index.ts';
import { executeWith } from '../helpers/database-template.ts';
import { startControlRegistry } from '../helpers/control-registry.ts';
import type { TestTenantDatabase } from '../helpers/tenant-database.ts';

let database: TestTenantDatabase;
/** Runs that were handed over. */
let handedOver: string[];
beforeAll(async () => {
  database = await startControlRegistry();
});
afterAll(() => database[Symbol.asyncDispose]());
beforeEach(async () => {
  handedOver = [];
  await database.postgres.superuser.query('delete from registry.fleet_runs');
});

const handOver = async ({ run }: Progress): Promise<void> => void handedOver.push(run);
const lambdaIsGone = (): Promise<void> => Promise.reject(new Error('Lambda is gone.'));
const ask = (idempotencyKey?: string, hand = handOver): Promise<RecordedFleetRun> =>
  runInTenantScope(() => {
    enterOperator({ operatorId: 'olga' });
    return migrate(idempotencyKey, hand);
  });
const counts: FleetRunCounts = {
  id: randomUUID(),
  state: 'running',
  slice: 1,
  place: 'silos all',
  placements: 4,
  seen: 2,
  done: 1,
  failed: 1,
  missing: 0,
  putOff: 0,
  causes: [],
  error: null,
};
/** What the migration runner writes down. */
const record = (changes: Partial<FleetRunCounts>) =>
  recordFleetRun(executeWith(database.postgres.owner), { ...counts, ...changes });
const lastEntry = async () => (await listAuditEntries(undefined, { limit: 1 }))[0];
const entries = async (): Promise<number> =>
  (await database.postgres.superuser.query(`select from registry.audit_log where action like 'migration.%'`))
    .rowCount ?? 0;

describe('a run that an operator asks for', () => {
  it('is written down with its entry in the audit log, in one call, and handed over', async () => {
    await record({ state: 'failed', error: 'That was before.' });
    const before = database.calls.length;
    const run = await ask();
    expect(database.calls.length - before).toBe(1);
    expect(run).toMatchObject({ state: 'running', slice: 0, done: 0, actor: 'olga', endedAt: null });
    expect(handedOver).toEqual([run.id]);
    expect(await getMigrationRun()).toEqual(run);
    expect(await getMigrationRun(counts.id)).toMatchObject({ state: 'failed', actor: null });
    expect(await lastEntry()).toMatchObject({
      action: 'migration.requested',
      actor: 'olga',
      tenantId: null,
      detail: { runId: run.id },
      before: { id: counts.id, state: 'failed', error: 'That was before.' },
      after: { id: run.id, state: 'running' },
    });
  });

  it('is one, of several that are asked for at once: the others are refused and name it', async () => {
    const answers = await Promise.allSettled(Array.from({ length: 8 }, () => ask()));
    const begun = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    expect(begun).toHaveLength(1);
    expect(handedOver).toEqual(begun.map(({ id }) => id));
    for (const answer of answers.filter(({ status }) => status === 'rejected'))
      expect(answer).toMatchObject({
        reason: { code: 'migration-in-progress', status: 409, message: expect.stringContaining(handedOver[0] ?? '-') },
      });
  });

  it('is the same with the same key, and handed over again as long as nobody is at it', async () => {
    const before = await entries();
    const [run, again] = await Promise.all([ask('once'), ask('once')]);
    expect(again).toEqual(run);
    expect(handedOver).toEqual([run.id, run.id]);
    expect(await entries()).toBe(before + 1);
    await record({ id: run.id });
    expect(await ask('once')).toMatchObject({ id: run.id, slice: 1, seen: 2, placements: 4 });
    await record({ id: run.id, slice: 2, state: 'done' });
    expect(await ask('once')).toMatchObject({ id: run.id, state: 'done', actor: 'olga' });
    expect(handedOver).toEqual([run.id, run.id]);
    expect((await ask('twice')).id).not.toBe(run.id);
  });

  it('waits for a deployment, and for none that was killed', async () => {
    await record({});
    await expect(ask()).rejects.toMatchObject({
      code: 'migration-in-progress',
      message: expect.stringContaining(`${counts.id}, of a deployment,`),
    });
    const silentFor = (seconds: number) =>
      database.postgres.superuser.query(
        'update registry.fleet_runs set updated_at = clock_timestamp() - make_interval(secs => $1) where id = $2',
        [seconds, counts.id],
      );
    await silentFor(lostAfterSeconds - 60);
    await expect(ask()).rejects.toMatchObject({ code: 'migration-in-progress' });
    await silentFor(lostAfterSeconds + 1);
    expect(handedOver).toEqual([]);
    expect(await ask()).toMatchObject({ state: 'running' });
  });

  it('waits for the last one alone: whoever was overtaken has nothing more to do', async () => {
    await record({});
    await record({ id: randomUUID(), state: 'done', slice: 2 });
    expect(await ask()).toMatchObject({ state: 'running' });
  });

  it('that cannot be handed over has failed, and the same key begins it anew, under the same name', async () => {
    const failed = ask('again', lambdaIsGone);
    await expect(failed).rejects.toMatchObject({ code: 'migration-not-started', status: 503 });
    const run = await getMigrationRun();
    expect(run).toMatchObject({ state: 'failed', error: 'It could not be started: Lambda is gone.' });
    expect(await lastEntry()).toMatchObject({
      action: 'migration.start-failed',
      actor: 'olga',
      detail: { runId: run.id, error: run.error },
      before: { state: 'running' },
      after: { state: 'failed' },
    });
    expect(await ask('again')).toMatchObject({ id: run.id, state: 'running', error: null, endedAt: null });
    expect(handedOver).toEqual([run.id]);
  });

  it('that was handed over though nobody heard of it is seen at its work', async () => {
    await expect(ask('unheard', lambdaIsGone)).rejects.toMatchObject({ code: 'migration-not-started' });
    const { id } = await getMigrationRun();
    await record({ id, slice: 0, place: 'shared all' });
    expect(await getMigrationRun()).toMatchObject({ id, state: 'running', error: null, endedAt: null });
    await record({ id, slice: 1, state: 'done' });
    await record({ id, slice: 2, state: 'running' });
    expect(await getMigrationRun()).toMatchObject({ id, state: 'done' });
  });
});

it('there is no run before the first', async () => {
  await expect(getMigrationRun()).rejects.toMatchObject({ code: 'not-found' });
  await expect(getMigrationRun(randomUUID())).rejects.toMatchObject({ code: 'not-found' });
});

it('the control plane ends no run but one that an operator has asked for and nobody is at', async () => {
  const control = await database.postgres.connectAs('control');
  const end = (id: string) => control.query(`select registry.fail_fleet_run($1, 'olga', 'no')`, [id]);
  await record({ slice: 0 });
  await end(counts.id);
  expect(await getMigrationRun()).toMatchObject({ state: 'running' });
  await record({ state: 'done' });
  const { id } = await ask();
  await record({ id });
  await end(id);
  expect(await getMigrationRun()).toMatchObject({ id, state: 'running' });
});

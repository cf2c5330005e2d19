import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { databaseRoles } from '../contract/index.ts';
import { sqlstateOf } from './fleet-call.ts';
import { EditedMigrationError, editedError } from './fleet-error.ts';
import { type FleetPlan, withSharedCanaries } from './fleet-plan.ts';
import {
  type FleetDatabase,
  type FleetFailure,
  type FleetOptions,
  type FleetProgress,
  FleetRun,
  type FleetStop,
} from './fleet-run.ts';
import { onlyParameter, readPlan, toArray } from './fleet-state.ts';
import { type Wave, works } from './fleet-work.ts';
import type { MigrationMode } from './migration-modes.ts';
import { forRole, type Migration } from './migrator.ts';
import { publishMigrations } from './provision.ts';

/** What became of a run. */
export interface FleetReport extends FleetProgress {
  readonly failures: readonly FleetFailure[];
  /** Missing when nothing is left to do but what failed. */
  readonly stopped: FleetStop | undefined;
}

interface Planned extends Wave {
  readonly plan: FleetPlan;
}

/**
 * Brings all placements of some databases to the newest version: canaries first, then the others, several at once. A placement that fails
 * is left as it was, reported, and tried again by the next run, which touches only what is not done. Several runs may go on at once.
 *
 * @throws when a file was changed after it had been applied (TN009), or a database without `isThere` cannot be reached; nothing is half-applied then
 */
export async function migrateFleet(
  databases: readonly FleetDatabase[],
  files: readonly Migration[],
  options: FleetOptions = {},
): Promise<FleetReport> {
  const run = new FleetRun(options);
  const canaries = options.canaries ?? 3;
  const only = options.only ?? null;
  const unreachable: FleetFailure[] = [];
  const planned = await inTurns(databases, run.options.databasesAtOnce, (database) =>
    reach(
      database,
      (failure) => unreachable.push(failure),
      async () => {
        const begun = await begin(database, files, only, canaries);
        if (options.run !== undefined) await run.takeStock(database);
        return begun;
      },
    ),
  );
  const behind = planned.filter((each) => each !== undefined).filter(({ plan }) => plan.steps.length > 0);
  const lacking = behind.reduce((sum, { plan }) => sum + plan.placements - plan.upToDate, 0);
  const { done } = run.progress;
  // Those that went first in a run that is gone on with need not do so again.
  if (canaries > 0 && lacking > 0 && done === 0) {
    run.begin(lacking, canaries);
    await inEach(run, canaryWaves(behind, canaries), (wave) => migrateWave(run, wave));
    if (run.failures.length > 0) run.stopped ??= 'canary';
  }
  if (lacking > 0) run.begin(done + lacking, options.maxFailures);
  for (const failure of unreachable) run.failed(failure);
  if (lacking > 0 && run.goesOn()) await inEach(run, behind, (wave) => migrateWave(run, wave));
  if (lacking > 0 && run.stopped === undefined) await inEach(run, behind, (wave) => confirm(run, wave, files));
  return { ...run.progress, failures: run.failures, stopped: run.stopped };
}

async function begin(
  database: FleetDatabase,
  files: readonly Migration[],
  only: readonly string[] | null,
  canaries: number,
): Promise<Planned> {
  const plan = await readPlan(database.execute, files, only, canaries);
  if (plan.edited.length > 0) throw editedError(database.name, plan.edited);
  const published = forRole(files, database.role ?? databaseRoles.app);
  await publishMigrations(database.execute, published).catch(async (error: unknown) => {
    // It was applied to placements that are not meant here.
    const { edited } = await readPlan(database.execute, files, null, 0);
    if (edited.length > 0) throw editedError(database.name, edited);
    // It has run for a part of the tenants.
    throw sqlstateOf(error) === 'TN009' && error instanceof Error
      ? new EditedMigrationError(error.message, { cause: error })
      : error;
  });
  return { database, only, plan };
}

async function inEach(run: FleetRun, waves: readonly Wave[], work: (wave: Wave) => Promise<void>): Promise<void> {
  await inTurns(waves, run.options.databasesAtOnce, (wave) =>
    reach(
      wave.database,
      (failure) => run.failed(failure),
      () => work(wave),
    ),
  );
}

/** Does something in a database. What keeps it from being done there is told, unless the database is gone. */
async function reach<Result>(
  { name, isThere }: FleetDatabase,
  tell: (failure: FleetFailure) => void,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!isThere || error instanceof EditedMigrationError) throw error;
    if (!(await isThere())) return undefined;
    const { message } = error instanceof Error ? error : new Error(String(error));
    tell({ database: name, placement: name, version: 'database', sqlstate: sqlstateOf(error) ?? '', error: message });
    return undefined;
  }
}

/** The first placements that lack something, whatever their database. */
function canaryWaves(behind: readonly Planned[], canaries: number): readonly Wave[] {
  return withSharedCanaries(behind, canaries)
    .map(({ database, plan }): Wave => ({ database, only: plan.canaries }))
    .filter(({ only }) => only?.length !== 0);
}

const leftSchema = z.array(
  z.object({ mode: z.enum(['transaction', 'alone', 'each-tenant']), placements: z.number().int() }),
);

/** Works until nothing is left of a wave, also what others have begun: who waits for them knows that it is done. */
async function migrateWave(run: FleetRun, wave: Wave): Promise<void> {
  let left = await readLeft(run, wave);
  while (left?.length !== 0 && run.goesOn()) {
    let worked = false;
    for (const { mode, placements } of left ?? []) worked = (await workOff(run, wave, mode, placements)) || worked;
    if (!worked) await sleep(run.options.pollMs);
    left = await readLeft(run, wave);
    // Behind the question what is left: nothing of that is under way any more when the answer is none.
    await run.takeStock(wave.database);
  }
}

/** @returns nothing when that took too long */
async function readLeft(run: FleetRun, { database, only }: Wave): Promise<z.infer<typeof leftSchema> | undefined> {
  const question = `select cast(l as text) from tenancy.fleet_left(:run, ${onlyParameter}) l`;
  const left = await run.call(database, question, () => ({ run: run.id, only: toArray(only) }));
  return left && leftSchema.parse(left);
}

/** Nothing is left of what is published. Is that still what this run has published, or has an older deployment withdrawn a part? */
async function confirm(run: FleetRun, { database, only }: Wave, files: readonly Migration[]): Promise<void> {
  const { placements, upToDate } = await readPlan(database.execute, files, only, 0);
  const failed = run.failures.filter((failure) => failure.database === database.name).length;
  if (placements - upToDate > failed) run.stopped ??= 'published';
}

/** @returns whether there was any work to be had */
async function workOff(run: FleetRun, wave: Wave, mode: MigrationMode, placements: number): Promise<boolean> {
  let left = placements;
  const calls = mode === 'transaction' ? Math.ceil(placements / run.options.placementsPerCall) : placements;
  const worker = async (): Promise<number> => {
    for (let done = 0; ; done += 1) {
      const through = run.goesOn() && left > 0 ? await works[mode](run, wave) : undefined;
      if (through === undefined) return done;
      left -= through;
    }
  };
  const done = await Promise.all(Array.from({ length: Math.min(run.options.concurrency, calls) }, worker));
  return done.some((calls) => calls > 0);
}

/** Does something for each, a few at a time. */
async function inTurns<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  return results;
}

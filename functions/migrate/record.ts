import { withTries } from '../../shared/database/fleet-call.ts';
import { EditedMigrationError, FleetError } from '../../shared/database/fleet-error.ts';
import { recordFleetRun } from '../../shared/database/fleet-runs.ts';
import type { FleetRunCounts, Progress } from '../../shared/fleet/index.ts';
import { AuditError } from './audit-error.ts';
import { countsOf } from './progress.ts';
import { registryOf, type System } from './system.ts';

/** Pause between two notes of a slice that is at work. */
const noteMs = 5_000;

/** Says how far a slice has come, so that it is known also where it fails, and to those who watch. */
export type Tell = (progress: Progress) => void;

/** Writes down in the registry how far a run is. */
export async function record(
  system: System,
  progress: Progress,
  state = stateOf(progress),
  error: string | null = null,
): Promise<void> {
  await withTries(() => recordFleetRun(registryOf(system), countsOf(progress, state, error)));
}

function stateOf({ phase, isOvertaken }: Progress): FleetRunCounts['state'] {
  if (isOvertaken) return 'overtaken';
  return phase === 'done' ? 'done' : 'running';
}

/**
 * Works on a run for a while, and writes down in the registry what came of it. Ledgers know what a run has done, so that whoever was killed
 * before that is followed by somebody who writes down the same and what has been done since.
 *
 * @param endsRun whether a failure is the end of the run, and nobody tries again
 */
export async function recorded(
  system: System,
  begun: Progress,
  endsRun: (error: unknown) => boolean,
  work: (begun: Progress, tell: Tell) => Promise<Progress>,
): Promise<Progress> {
  let last: Progress = { ...begun, slice: begun.slice + 1 };
  const notes = notesOf(system);
  try {
    last = await work(last, (progress) => {
      last = progress;
      notes.take(progress);
    }).finally(notes.written);
  } catch (error) {
    if (endsRun(error)) await recordEnd(system, last, error);
    throw error;
  }
  await record(system, last);
  return last;
}

/** Writes down every so often how far a slice has come that is at work. The end of a slice counts; these are for those who watch. */
function notesOf(system: System) {
  let takenAt = Date.now();
  let writing = Promise.resolve();
  return {
    take: (progress: Progress): void => {
      if (Date.now() - takenAt < noteMs) return;
      takenAt = Date.now();
      writing = writing
        .then(() => record(system, progress))
        .catch((error: unknown) =>
          system.log.warn('a note was not written down', { run: progress.run, error: String(error) }),
        );
    },
    written: () => writing,
  };
}

/** Does what the run cannot go on without. */
export async function orRecordEnd(system: System, progress: Progress, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    await recordEnd(system, progress, error);
    throw error;
  }
}

async function recordEnd(system: System, progress: Progress, error: unknown): Promise<void> {
  const isStopped = error instanceof FleetError && ['budget', 'canary'].includes(error.report.stopped ?? '');
  try {
    await record(system, progress, isStopped ? 'stopped' : 'failed', summaryOf(error));
  } catch (thrown) {
    // What was wrong first is what is told.
    system.log.warn('the end of the run was not written down', { run: progress.run, error: String(thrown) });
  }
}

/** Asking again would be answered in the same way: errors that say what became of the fleet. */
export const isOutcome = (error: unknown): boolean =>
  error instanceof FleetError || error instanceof AuditError || error instanceof EditedMigrationError;

/** As much as a row of the registry holds. Causes of failures stand there by themselves. */
function summaryOf(error: unknown): string {
  const { message } = error instanceof Error ? error : new Error(String(error));
  return (error instanceof FleetError ? message.split('\n', 1).join() : message).slice(0, 1_000);
}

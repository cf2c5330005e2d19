import { beginMigrationRun, failMigrationRun, readMigrationRun } from '../../shared/control/index.ts';
import { AppError } from '../../shared/errors/index.ts';
import type { Progress, RecordedFleetRun } from '../../shared/fleet/index.ts';
import { beginRun } from '../../shared/fleet/index.ts';
import { serviceLogger } from '../../shared/logging/index.ts';
import { currentOperator } from '../../shared/tenancy/index.ts';

const log = serviceLogger('control-plane');

/** The run that began last, or one of which the id is known. @throws AppError not-found */
export async function getMigrationRun(runId?: string): Promise<RecordedFleetRun> {
  const run = await readMigrationRun(runId);
  if (run) return run;
  throw new AppError('not-found', runId === undefined ? 'There was no run yet.' : `There is no run ${runId}.`);
}

/**
 * Has the migration runner bring to the newest version what is not there yet, of all placements, with the files that are deployed.
 *
 * @param handOver has somebody go on with a run that has done nothing; asked twice for one run, one goes on
 * @throws AppError migration-in-progress, migration-not-started
 */
export async function migrate(
  idempotencyKey: string | undefined,
  handOver: (progress: Progress) => Promise<void>,
): Promise<RecordedFleetRun> {
  const { operatorId: actor } = currentOperator();
  const run = await beginMigrationRun({ actor, idempotencyKey });
  // Whoever asks again may not have got to the hand-over.
  if (run.state !== 'running' || run.slice > 0) return run;
  try {
    await handOver(beginRun(run.id));
  } catch (error) {
    log.error('A run of migrations was not started', { runId: run.id, error: error as Error });
    await failMigrationRun(
      run.id,
      actor,
      `It could not be started: ${error instanceof Error ? error.message : String(error)}`,
    );
    throw new AppError('migration-not-started', `The run ${run.id} could not be started.`, { cause: error });
  }
  return run;
}

import * as z from 'zod';
import { queryRegistry } from '../database/registry-connection.ts';
import { AppError } from '../errors/index.ts';
import { fleetRunSchema, lostAfterSeconds, type RecordedFleetRun } from '../fleet/index.ts';
import { uuidv7 } from '../http/index.ts';

const outcomeSchema = z.object({ outcome: z.enum(['begun', 'known', 'in-progress']), run: fleetRunSchema });

export interface MigrationRunRequest {
  /** Who asks for it. */
  readonly actor: string;
  /** The same key gives the same run, however often it is asked for. */
  readonly idempotencyKey?: string | undefined;
}

/**
 * Writes a run of the migration runner down, with its entry in the audit log, in one transaction. Nothing is done yet: hand it over.
 *
 * @throws AppError migration-in-progress
 * @throws DatabaseError when the registry cannot be asked; ask again with the same idempotency key
 */
export async function beginMigrationRun(request: MigrationRunRequest): Promise<RecordedFleetRun> {
  const [answer] = await queryRegistry({
    sql: 'select cast(registry.begin_fleet_run(cast(:request as jsonb)) as text)',
    parameters: { request: JSON.stringify({ ...request, id: uuidv7(), lostAfterSeconds }) },
    operation: 'insert',
    // A second time finds the run by its id.
    twice: 'harmless',
  });
  const { outcome, run } = outcomeSchema.parse(answer);
  if (outcome !== 'in-progress') return run;
  throw new AppError(
    'migration-in-progress',
    `The run ${run.id}, ${run.actor === null ? 'of a deployment' : `asked for by ${run.actor}`}, is not finished. Wait for it, then ask again. One of which nothing is written for ${lostAfterSeconds / 60} minutes is in nobody's way.`,
  );
}

/** Ends a run that could not be handed over, with an entry in the audit log. One that is at work nevertheless stays as it is. */
export async function failMigrationRun(runId: string, actor: string, reason: string): Promise<void> {
  await queryRegistry({
    sql: 'select registry.fail_fleet_run(cast(:run_id as uuid), :actor, :reason)::text',
    parameters: { run_id: runId, actor, reason },
    operation: 'update',
    twice: 'harmless',
  });
}

/** A run of the migration runner, or undefined when there is none. @param runId @default the one that began last */
export async function readMigrationRun(runId?: string): Promise<RecordedFleetRun | undefined> {
  const [run] = await queryRegistry({
    sql: `select cast(registry.show_fleet_run(cast(nullif(:run_id, '') as uuid)) as text)`,
    parameters: { run_id: runId ?? '' },
    operation: 'select',
    twice: 'harmless',
  });
  return run === null ? undefined : fleetRunSchema.parse(run);
}

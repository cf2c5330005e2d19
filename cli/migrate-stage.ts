import { connect, type Connection } from './api/connect.ts';
import { type FleetRun, isLost, showMigrations, startMigrations } from './api/migrations.ts';
import type { ControlPlane } from './api/control-plane.ts';
import { keyOf, orSayKey } from './api/keys.ts';
import { UsageError } from './command-error.ts';
import { follow } from './follow.ts';
import { lostAfterSeconds } from '../shared/fleet/index.ts';
import { showProgress } from './terminal/fleet-bar.ts';
import { formatFleetRun } from './terminal/format-fleet-run.ts';
import { print } from './terminal/print.ts';
import { commandLine } from './watch.ts';

/** What is asked of the migration runner of a deployed stage. */
export interface StageMigration extends Connection {
  readonly plan: boolean;
  readonly status: boolean;
  readonly tenant: string | undefined;
  readonly json: boolean;
  readonly 'no-wait': boolean;
  readonly 'idempotency-key': string | undefined;
}

/** Has the migration runner of a deployed stage do what is not done, and watches it, or says how its last run went. Returns the exit code. */
export async function migrateStage(options: StageMigration): Promise<number> {
  refuse(options);
  const { status, json } = options;
  const key = keyOf(options['idempotency-key']);
  const plane = await connect(options);
  if (status) return printRun(await showMigrations(plane), json);
  const begun = await orSayKey(key, 'run', startMigrations(plane, key));
  return printRun(options['no-wait'] ? begun : await followRun(plane, begun, options), json);
}

/** What there is only where the command itself reaches the databases. */
function refuse({ plan, status, tenant, ...options }: StageMigration): void {
  if (plan)
    throw new UsageError(
      '--plan compares databases with the files of this folder; a deployed stage has those of its deployment, and --api reaches no database. ' +
        'What is missing where: docs/runbook.md, "The migration runner".',
    );
  if (tenant !== undefined)
    throw new UsageError(
      '--tenant is for a local stack. With --api a run touches what is not done yet, in all placements, and nothing else.',
    );
  if (status && (options['no-wait'] || options['idempotency-key'] !== undefined))
    throw new UsageError('--status starts no run, so that there is nothing to wait for, and no key to give.');
}

const followRun = (plane: ControlPlane, begun: FleetRun, connection: Connection): Promise<FleetRun> =>
  follow({
    begun,
    hasEnded: (run) => run.state !== 'running' || isLost(run),
    read: () => showMigrations(plane, begun.id),
    view: { show: showRun, end: () => showProgress() },
    goesOn: `The run goes on without being watched. See how far it is: ${commandLine(['migrate', '--status'], connection)}`,
  });

/** Nothing is known of how much there is to do before the runner has looked. */
function showRun({ placements, seen, failed }: FleetRun): void {
  if (placements > 0) showProgress({ placements, done: Math.max(0, seen - failed), failed });
}

function printRun(run: FleetRun, json: boolean): number {
  print(run, json, (each, { paint }) => formatFleetRun(each, paint));
  if (isLost(run))
    console.error(
      `Nothing was written of this run for ${lostAfterSeconds / 60} minutes: nobody goes on with it. Look into the log of migrate-fleet, and start another one.`,
    );
  return isLost(run) || (run.state !== 'running' && run.state !== 'done') ? 1 : 0;
}

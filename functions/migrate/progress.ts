import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { failuresByCause } from '../../shared/database/fleet-error.ts';
import type { FleetRunCounts } from '../../shared/database/fleet-runs.ts';
import type { FleetReport } from '../../shared/database/fleet.ts';

const failureSchema = z.object({
  database: z.string(),
  placement: z.string(),
  version: z.string(),
  sqlstate: z.string(),
  error: z.string(),
});

/** What has become of placements so far. */
const tallySchema = z.object({
  done: z.int(),
  failed: z.int(),
  /** The first of them. */
  failures: z.array(failureSchema).readonly(),
});
type Tally = Readonly<z.output<typeof tallySchema>>;

/** How far a run has come, for whoever goes on with it. What was done stands in the databases. */
export const progressSchema = z.object({
  /** What ledgers and registry call the run. */
  run: z.string(),
  /** How often it was gone on with. */
  slice: z.int(),
  /** `shared` as long as placements of databases that tenants share are left, `silos` when only databases of tenants' own are. */
  phase: z.enum(['shared', 'silos', 'done']),
  /** Done only in that a later run goes on in its place. */
  isOvertaken: z.boolean().default(false),
  /** Placements of databases that tenants share. Their own run counts how many failures it puts up with. */
  shared: tallySchema,
  /** Databases of tenants' own. */
  silos: tallySchema,
  /** Those of them whose database is not there: nothing for a deployment to mend, or to fail with. */
  missing: z.int().default(0),
  /** More failures of databases of tenants' own end the run. */
  mostFailures: z.int(),
  /** Which of these databases come next: all that there were, those that have changed since `since`, those for which there was no time. */
  pass: z.enum(['all', 'changed', 'left', 'done']),
  since: z.string(),
  /** Tenants up to this one were seen in this pass. */
  after: z.string(),
  /** Tenants whose database took longer than one is given at a time. */
  left: z.array(z.string()).readonly(),
});
export type Progress = Readonly<z.output<typeof progressSchema>>;

/** What is handed on of failures: Lambda takes 256 KB, of a durable step too, and nobody reads more. */
const keptFailures = 100;
const keptErrorLength = 500;
/** What is told of causes. A row of the Data API has its limits. */
const keptCauses = 10;
const keptNames = 5;

const nothing: Tally = { done: 0, failed: 0, failures: [] };

/** A run that has done nothing yet. */
export const beginRun = (): Progress => ({
  run: randomUUID(),
  slice: 0,
  phase: 'shared',
  isOvertaken: false,
  shared: nothing,
  silos: nothing,
  missing: 0,
  mostFailures: 0,
  pass: 'all',
  since: '',
  after: '',
  left: [],
});

/** With what has become of more placements. */
export function plus(tally: Tally, { done, failures }: Pick<FleetReport, 'done' | 'failures'>): Tally {
  const more = failures.map((failure) => ({ ...failure, error: failure.error.slice(0, keptErrorLength) }));
  return {
    done: tally.done + done,
    failed: tally.failed + failures.length,
    failures: [...tally.failures, ...more].slice(0, keptFailures),
  };
}

/**
 * What a report tells of all slices so far, since ledgers know what a run has done in each of them. A database that cannot be reached just now
 * says nothing of it.
 */
export const inAll = (before: Tally, { done, failures }: Pick<FleetReport, 'done' | 'failures'>): Tally =>
  plus(nothing, { done: Math.max(before.done, done), failures });

/** Whether there is something that a deployment fails with. */
export const isFailed = ({ shared, silos, missing }: Progress): boolean => shared.failed + silos.failed > missing;

export function reportOf({ shared, silos }: Progress, stopped: FleetReport['stopped']): FleetReport {
  const [done, failed] = [shared.done + silos.done, shared.failed + silos.failed];
  return { placements: done + failed, done, failed, failures: [...shared.failures, ...silos.failures], stopped };
}

/** What the registry is told. */
export function countsOf(progress: Progress, state: FleetRunCounts['state'], error: string | null): FleetRunCounts {
  const { run, slice, phase, pass, after, shared, silos, missing, left } = progress;
  const causes = failuresByCause([...shared.failures, ...silos.failures]).map(({ placements, ...cause }) => ({
    ...cause,
    count: placements.length,
    placements: placements.slice(0, keptNames),
  }));
  return {
    id: run,
    state,
    slice,
    place: [phase, pass, after].join(' ').trim(),
    done: shared.done + silos.done,
    failed: shared.failed + silos.failed,
    missing,
    putOff: left.length,
    causes: causes.slice(0, keptCauses),
    error,
  };
}

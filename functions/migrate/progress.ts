import * as z from 'zod';
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
  /** `shared` as long as placements of databases that tenants share are left, `silos` when only databases of tenants' own are. */
  phase: z.enum(['shared', 'silos', 'done']),
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

/** What is handed on of failures: a payload has its limits, and nobody reads more. */
const keptFailures = 100;

const nothing: Tally = { done: 0, failed: 0, failures: [] };

export const beginning: Progress = {
  phase: 'shared',
  shared: nothing,
  silos: nothing,
  missing: 0,
  mostFailures: 0,
  pass: 'all',
  since: '',
  after: '',
  left: [],
};

/** With what has become of more placements. */
export function plus(tally: Tally, { done, failures }: Pick<FleetReport, 'done' | 'failures'>): Tally {
  return {
    done: tally.done + done,
    failed: tally.failed + failures.length,
    failures: [...tally.failures, ...failures].slice(0, keptFailures),
  };
}

/** Of a run that tries again what has failed: what it has failed in is all that has. */
export const anew = ({ done }: Tally, report: Pick<FleetReport, 'done' | 'failures'>): Tally =>
  plus({ ...nothing, done }, report);

/** Whether there is something that a deployment fails with. */
export const isFailed = ({ shared, silos, missing }: Progress): boolean => shared.failed + silos.failed > missing;

export function reportOf({ shared, silos }: Progress, stopped: FleetReport['stopped']): FleetReport {
  const [done, failed] = [shared.done + silos.done, shared.failed + silos.failed];
  return { placements: done + failed, done, failed, failures: [...shared.failures, ...silos.failures], stopped };
}

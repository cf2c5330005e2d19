import * as z from 'zod';
import type { FleetReport } from '../../shared/database/fleet.ts';

const failureSchema = z.object({
  database: z.string(),
  placement: z.string(),
  version: z.string(),
  sqlstate: z.string(),
  error: z.string(),
});

/** How far a run has come with placements that are not the pool, for whoever goes on with it. What was done stands in the databases. */
export const progressSchema = z.object({
  /** Placements of databases that tenants share come first, then databases of tenants' own. */
  phase: z.enum(['shared', 'silos', 'done']),
  /** Databases of tenants up to this one are done, or have failed. */
  after: z.string(),
  done: z.int(),
  failed: z.int(),
  /** Those of them whose database is not there: nothing for a deployment to mend, or to fail with. */
  missing: z.int().default(0),
  /** More failures end the run. Of placements of shared databases their own run keeps count. */
  mostFailures: z.int(),
  /** The first of them. */
  failures: z.array(failureSchema).readonly(),
});
export type Progress = Readonly<z.output<typeof progressSchema>>;

/** What is handed on of failures: a payload has its limits, and nobody reads more. */
const keptFailures = 100;

export const beginning: Progress = {
  phase: 'shared',
  after: '',
  done: 0,
  failed: 0,
  missing: 0,
  mostFailures: 0,
  failures: [],
};

/** With what has become of more placements. */
export function plus(progress: Progress, { done, failures }: Pick<FleetReport, 'done' | 'failures'>): Progress {
  return {
    ...progress,
    done: progress.done + done,
    failed: progress.failed + failures.length,
    failures: [...progress.failures, ...failures].slice(0, keptFailures),
  };
}

/** Whether there is something that a deployment fails with. */
export const isFailed = ({ failed, missing }: Progress): boolean => failed > missing;

export function reportOf({ done, failed, failures }: Progress, stopped: FleetReport['stopped']): FleetReport {
  return { placements: done + failed, done, failed, failures, stopped };
}

import { failuresByCause } from '../../shared/database/fleet-error.ts';
import type { FleetReport } from '../../shared/database/fleet.ts';
import type { FleetRunCounts, Progress, Tally } from '../../shared/fleet/index.ts';

/** What is handed on of failures: Lambda takes 256 KB, of a durable step too, and nobody reads more. */
const keptFailures = 100;
const keptErrorLength = 500;
/** What is told of causes. A row of the Data API has its limits. */
const keptCauses = 10;
const keptNames = 5;

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
  plus({ done: 0, failed: 0, failures: [] }, { done: Math.max(before.done, done), failures });

/** Whether there is something that a deployment fails with. */
export const isFailed = ({ shared, silos, missing }: Progress): boolean => shared.failed + silos.failed > missing;

export function reportOf({ shared, silos }: Progress, stopped: FleetReport['stopped']): FleetReport {
  const [done, failed] = [shared.done + silos.done, shared.failed + silos.failed];
  return { placements: done + failed, done, failed, failures: [...shared.failures, ...silos.failures], stopped };
}

/** What the registry is told. */
export function countsOf(progress: Progress, state: FleetRunCounts['state'], error: string | null): FleetRunCounts {
  const { run, slice, phase, pass, after, shared, lacking, silos, databases, seen, missing, left } = progress;
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
    placements: lacking + databases,
    seen: shared.done + shared.failed + seen,
    causes: causes.slice(0, keptCauses),
    error,
  };
}

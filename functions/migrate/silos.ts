import { FleetError } from '../../shared/database/fleet-error.ts';
import { isOvertaken } from '../../shared/database/fleet-runs.ts';
import {
  countSilos,
  readRegistryTime,
  readSilos,
  readSilosOf,
  type Silo,
} from '../../shared/database/silo-databases.ts';
import type { Tell } from './record.ts';
import type { Progress } from '../../shared/fleet/index.ts';
import { plus, reportOf } from './progress.ts';
import { migrateSilo, type SiloOutcome } from './silo.ts';
import { registryOf, type System } from './system.ts';

/** Databases of tenants' own at once. */
const silosAtOnce = 4;
/** So many may fail at most, however many there are: who goes on is handed their names. */
const mostFailing = 1_000;
/** Tenants that are put off at most before those are done that were: who goes on is handed their names. */
const mostLeft = 500;

export interface Time {
  /** `Date.now()` from which on no database is begun. */
  readonly until: number;
  /** How long a database is worked on at a time. */
  readonly siloMs: number;
}

/**
 * Databases of tenants' own, a few at once, each with its audit: all that there are; then those that somebody may have made, or made anew,
 * with the files of before; then those that took too long, again and again. A run that is overtaken leaves them to the later one.
 */
export async function migrateSilos(
  system: System,
  begun: Progress,
  { until, siloMs }: Time,
  tell: Tell,
): Promise<Progress> {
  let progress = begun;
  while (Date.now() < until && !(await isOvertaken(registryOf(system), begun.run))) {
    const next = await nextSilos(system, progress);
    if (next.silos.length === 0) return { ...next.progress, pass: 'done' };
    const limit = Math.min(until, Date.now() + siloMs);
    const run = runOf(progress);
    const outcomes = await Promise.all(next.silos.map((silo) => migrateSilo(silo, system, { run, until: limit })));
    progress = withOutcomes(next.progress, next.silos, outcomes);
    tell(progress);
    const failures = outcomes.flatMap((outcome) => outcome.failures);
    if (failures.length > 0) system.log.warn('placements failed', { failures });
    if (progress.silos.failed > progress.mostFailures) throw new FleetError(reportOf(progress, 'budget'));
  }
  return progress;
}

/** What is looked at again is counted again if it has lacked something again, and only then. */
const runOf = ({ run, pass }: Progress): string => (pass === 'changed' ? `${run}-changed` : run);

/** How many databases of tenants' own there are when a run begins, and with it how many of them may fail. */
export async function countDatabases(system: System, progress: Progress): Promise<Progress> {
  if (progress.since !== '') return progress;
  const registry = registryOf(system);
  const databases = await countSilos(registry);
  const mostFailures = Math.min(mostFailing, Math.max(10, Math.floor(databases / 20)));
  return { ...progress, databases, mostFailures, since: await readRegistryTime(registry) };
}

interface NextSilos {
  readonly silos: readonly Silo[];
  /** As it is with these taken. */
  readonly progress: Progress;
}

async function nextSilos(system: System, progress: Progress): Promise<NextSilos> {
  const { pass, since, after, left, failing } = progress;
  const registry = registryOf(system);
  if (pass === 'left' || left.length >= mostLeft) {
    const [taken, rest] = [left.slice(0, silosAtOnce), left.slice(silosAtOnce)];
    const silos = taken.length > 0 ? await readSilosOf(registry, taken) : [];
    // Whoever has left meanwhile is not among them.
    if (silos.length === 0 && rest.length > 0) return nextSilos(system, { ...progress, left: rest });
    return { silos, progress: { ...progress, left: rest } };
  }
  const found = await readSilos(registry, after, silosAtOnce, pass === 'changed' ? since : undefined);
  const last = found.at(-1)?.tenantId;
  if (last === undefined)
    return nextSilos(system, { ...progress, pass: pass === 'all' ? 'changed' : 'left', after: '' });
  // What has failed in the pass before is not tried again.
  const silos = found.filter(({ tenantId }) => !failing.includes(tenantId));
  if (silos.length === 0) return nextSilos(system, { ...progress, after: last });
  return { silos, progress: { ...progress, after: last } };
}

function withOutcomes(progress: Progress, silos: readonly Silo[], outcomes: readonly SiloOutcome[]): Progress {
  const seen = new Set(silos.map(({ tenantId }) => tenantId));
  const left = silos.filter((_, index) => outcomes[index]?.isLeft).map(({ tenantId }) => tenantId);
  const done = outcomes.filter((outcome) => outcome.done).length;
  const failures = outcomes.flatMap((outcome) => outcome.failures);
  const failing = silos.filter((_, index) => outcomes[index]?.failures.length).map(({ tenantId }) => tenantId);
  return {
    ...progress,
    silos: plus(progress.silos, { done, failures }),
    failing: [...progress.failing, ...failing],
    // Whoever is looked at again was seen before.
    seen: progress.pass === 'changed' ? progress.seen : progress.seen + silos.length - left.length,
    missing: progress.missing + outcomes.filter(({ isMissing }) => isMissing).length,
    left: [...progress.left.filter((tenantId) => !seen.has(tenantId)), ...left],
  };
}

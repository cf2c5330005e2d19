import { failuresByCause } from '../../shared/database/fleet-error.ts';
import type { FleetPlan } from '../../shared/database/fleet-plan.ts';
import type { FleetProgress } from '../../shared/database/fleet-run.ts';
import type { FleetPlacement } from '../../shared/database/fleet-state.ts';
import type { Paint } from './paint.ts';
import { printable } from './printable.ts';

/** A plan, and the database that it is for. */
export interface LocatedPlan {
  readonly cluster: string;
  readonly database: string;
  readonly plan: FleetPlan;
}

/** What placements have, and their database. */
export interface LocatedStatus {
  readonly cluster: string;
  readonly database: string;
  readonly placements: readonly FleetPlacement[];
}

const modes = { transaction: '', alone: 'no transaction', 'each-tenant': 'as each tenant' } as const;

/** What would run where, as lines for a terminal. */
export function formatPlan({ cluster, database, plan }: LocatedPlan, paint: Paint): string {
  const { placements, upToDate, steps, canaries, edited, unknown } = plan;
  return [
    paint('bold', `${database} on ${cluster}`),
    `  ${upToDate} of ${placements} placements have everything.`,
    ...steps.map(({ version, mode, placements: count, first }) =>
      `  ${version}  in ${count}: ${example(first, count)}  ${paint('dim', modes[mode])}`.trimEnd(),
    ),
    ...(canaries.length > 0 ? [`  First: ${printable(canaries.join(', '))}`] : []),
    ...edited.map(({ version, placements: count, first }) =>
      paint('red', `  ${version} was changed after it had been applied in ${count}: ${example(first, count)}`),
    ),
    ...(unknown.length > 0 ? [paint('yellow', `  Applied, but no file here: ${unknown.join(', ')}`)] : []),
  ].join('\n');
}

/** Placements by version, and what has failed by cause, as lines for a terminal. */
export function formatStatus({ cluster, database, placements }: LocatedStatus, paint: Paint): string {
  const byVersion = Map.groupBy(placements, ({ version }) => version ?? 'nothing');
  const failures = placements.flatMap(({ placement, failed, sqlstate, error }) =>
    failed === null ? [] : [{ placement, version: failed, sqlstate: sqlstate ?? '', error: error ?? '' }],
  );
  return [
    paint('bold', `${database} on ${cluster}`),
    ...[...byVersion]
      .sort(([a], [b]) => (a < b ? 1 : -1))
      .map(([version, members]) => {
        const names = members.slice(0, 3).map(({ placement }) => placement);
        return `  ${version}  ${members.length}: ${example(names, members.length)}`;
      }),
    ...failuresByCause(failures).map((cause) =>
      paint(
        'red',
        `  ${cause.version} failed in ${cause.placements.length}: ${example(cause.placements.slice(0, 3), cause.placements.length)}\n    ${printable(cause.error)}`,
      ),
    ),
  ].join('\n');
}

const barWidth = 30;

/** How far a run is, as one line. */
export function formatProgress({ placements, done, failed }: FleetProgress): string {
  const share = placements === 0 ? 1 : Math.min(1, (done + failed) / placements);
  const bar = '█'.repeat(Math.floor(share * barWidth)).padEnd(barWidth, '░');
  return `${bar} ${done} of ${placements}${failed > 0 ? `, ${failed} failed` : ''}`;
}

const example = (first: readonly string[], count: number): string =>
  printable(first.join(', ')) + (count > first.length ? ', …' : '');

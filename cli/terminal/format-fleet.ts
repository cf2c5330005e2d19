import { failuresByCause } from '../../shared/database/fleet-error.ts';
import type { FleetPlan } from '../../shared/database/fleet-plan.ts';
import type { FleetProgress } from '../../shared/database/fleet-run.ts';
import type { FleetPlacement } from '../../shared/database/fleet-state.ts';
import type { Paint } from './paint.ts';
import { printable } from './printable.ts';

/** What was found in a database, or why it cannot be looked at. */
export type Located<Found> = { readonly cluster: string; readonly database: string } & (
  Found | { readonly error: string }
);

const modes = { transaction: '', alone: 'no transaction', 'each-tenant': 'as each tenant' } as const;

/** What would run where, as lines for a terminal. */
export function formatPlan(located: Located<{ readonly plan: FleetPlan }>, paint: Paint): string {
  if ('error' in located) return formatError(located, paint);
  const { placements, upToDate, steps, canaries, edited, withdrawn } = located.plan;
  return [
    nameOf(located, paint),
    `  ${upToDate} of ${placements} placements have everything.`,
    ...steps.map(({ version, mode, placements: count, first }) =>
      `  ${version}  in ${count}: ${example(first, count)}  ${paint('dim', modes[mode])}`.trimEnd(),
    ),
    ...(canaries.length > 0 ? [`  First: ${printable(canaries.join(', '))}`] : []),
    ...edited.map(({ version, placements: count, first }) =>
      paint('red', `  ${version} was changed after it had been applied in ${count}: ${example(first, count)}`),
    ),
    ...withdrawn.map(({ version, placements: count, first }) =>
      paint(
        'yellow',
        `  ${version} has no file here. It was applied in ${count}: ${example(first, count)}, and runs in no other.`,
      ),
    ),
  ].join('\n');
}

/** Placements by version, and what has failed by cause, as lines for a terminal. */
export function formatStatus(
  located: Located<{ readonly placements: readonly FleetPlacement[] }>,
  paint: Paint,
): string {
  if ('error' in located) return formatError(located, paint);
  const { placements } = located;
  const byVersion = Map.groupBy(placements, versionOf);
  const failures = placements.flatMap(({ placement, failed, sqlstate, error }) =>
    failed === null ? [] : [{ placement, version: failed, sqlstate: sqlstate ?? '', error: error ?? '' }],
  );
  const withdrawn = Map.groupBy(
    placements.flatMap(({ placement, withdrawn }) => withdrawn.map((version) => ({ version, placement }))),
    ({ version }) => version,
  );
  return [
    nameOf(located, paint),
    ...[...byVersion]
      .sort(([a], [b]) => (a < b ? 1 : -1))
      .map(([version, members]) => {
        return `  ${version}  ${exampleOf(members.map(({ placement }) => placement))}`;
      }),
    ...[...withdrawn].map(([version, members]) =>
      paint(
        'yellow',
        `  ${version} was withdrawn, but stands in ${exampleOf(members.map(({ placement }) => placement))}`,
      ),
    ),
    ...failuresByCause(failures).map((cause) =>
      paint('red', `  ${cause.version} failed in ${exampleOf(cause.placements)}\n    ${printable(cause.error)}`),
    ),
  ].join('\n');
}

/** The newest, and what is missing. */
function versionOf({ version, lacks: count, missing }: FleetPlacement): string {
  const lacks = count > 0 ? ` without ${missing.slice(0, 3).join(', ')}${count > 3 ? `, … (${count})` : ''}` : '';
  return `${version ?? 'nothing'}${lacks}`;
}

const nameOf = ({ cluster, database }: Located<object>, paint: Paint): string =>
  paint('bold', `${database} on ${cluster}`);

const formatError = (located: Located<object> & { readonly error: string }, paint: Paint): string =>
  `${nameOf(located, paint)}\n${paint('red', `  ${printable(located.error)}`)}`;

const barWidth = 30;

/** How far a run is, as one line. */
export function formatProgress({ placements, done, failed }: FleetProgress): string {
  const share = placements === 0 ? 1 : Math.min(1, (done + failed) / placements);
  const bar = '█'.repeat(Math.floor(share * barWidth)).padEnd(barWidth, '░');
  return `${bar} ${done} of ${placements}${failed > 0 ? `, ${failed} failed` : ''}`;
}

/** How many, and the first of them. */
const exampleOf = (names: readonly string[]): string => `${names.length}: ${example(names.slice(0, 3), names.length)}`;

const example = (first: readonly string[], count: number): string =>
  printable(first.join(', ')) + (count > first.length ? ', …' : '');

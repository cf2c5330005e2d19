import type { EditedMigration } from './fleet-plan.ts';
import type { FleetFailure } from './fleet-run.ts';
import type { FleetReport } from './fleet.ts';

/** A file that was changed after it had been applied. Nothing was done. */
export class EditedMigrationError extends Error {
  override readonly name = 'EditedMigrationError';
  /** As the kernel says it. */
  readonly code = 'TN009';
}

export function editedError(database: string, edited: readonly EditedMigration[]): EditedMigrationError {
  const files = edited.map(
    ({ version, placements, first }) =>
      `${version} (in ${amount(placements)} of ${database}: ${list(first, placements)})`,
  );
  const replaces = edited.flatMap(({ version, editions }) =>
    editions.map((edition) => `${version} with the line "-- tenantry: replaces ${edition.slice(0, 12)}"`),
  );
  return new EditedMigrationError(
    `Changed after it had been applied: ${files.join(', ')}. Restore the file, and put the change into a new migration. ` +
      `If it was mended because it failed elsewhere, and what was applied may stay, say so: ${replaces.join(', ')}.`,
  );
}

/** Failures that have the same cause. */
export interface FailureCause {
  readonly version: string;
  readonly sqlstate: string;
  /** The error, with `<schema>` where it names the placement. */
  readonly error: string;
  readonly placements: readonly string[];
}

/** Groups failures by what is behind them, the most frequent first. */
export function failuresByCause(failures: readonly Omit<FleetFailure, 'database'>[]): readonly FailureCause[] {
  const causes = new Map<string, FailureCause & { placements: string[] }>();
  for (const { placement, version, sqlstate, error } of failures) {
    const text = error.replaceAll(placement, '<schema>');
    const key = JSON.stringify([version, sqlstate, text]);
    const cause = causes.get(key) ?? { version, sqlstate, error: text, placements: [] };
    cause.placements.push(placement);
    causes.set(key, cause);
  }
  return [...causes.values()].sort((a, b) => b.placements.length - a.placements.length);
}

/** Not all placements are on the newest version. Those that are stay there; running again touches the others alone. */
export class FleetError extends Error {
  override readonly name = 'FleetError';
  readonly report: FleetReport;

  constructor(report: FleetReport) {
    super(describeReport(report));
    this.report = report;
  }
}

const reasons = {
  canary: 'A canary failed, so the others were left alone.',
  budget: 'Too many failed, so the rest was left alone.',
  time: 'Time was up before all were done.',
  published: 'Somebody with other files has withdrawn some of these meanwhile.',
} as const;

/** What to do where something has failed, or was left. */
export const runAgain = 'Nothing is half-applied. Run it again when the cause is mended: only what is not done runs.';

/** What a run did, and failures by cause, as lines for a console. Of very many failures a report has the first. */
export function describeReport({ placements, done, failed, failures, stopped }: FleetReport): string {
  return [
    `${done} of ${amount(placements)} migrated, ${failed} failed.${stopped ? ` ${reasons[stopped]}` : ''}`,
    ...failuresByCause(failures).flatMap((cause) => [
      `  ${cause.version}  ${amount(cause.placements.length)}: ${list(cause.placements.slice(0, 5), cause.placements.length)}`,
      `    ${cause.error} (${cause.sqlstate})`,
    ]),
    ...(failed > failures.length ? [`  and ${failed - failures.length} more`] : []),
    ...(failed > 0 || stopped ? [runAgain] : []),
  ].join('\n');
}

const amount = (placements: number): string => (placements === 1 ? '1 placement' : `${placements} placements`);
const list = (names: readonly string[], all: number): string => names.join(', ') + (all > names.length ? ', …' : '');

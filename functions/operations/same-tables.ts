import type { RowTable } from '../../shared/control/index.ts';
import { AppError } from '../../shared/errors/index.ts';
import type { Manifest } from './manifest.ts';

/**
 * Whether rows of an export fit into tables as they are now: each of its columns is there, of the same type, and each new one may be null.
 *
 * @throws AppError export-unusable that names every table and column that does not fit
 */
export function requireSameTables({ tables: exported, migrations }: Manifest, tables: readonly RowTable[]): void {
  const problems = exported
    .filter(({ rows }) => rows > 0)
    .flatMap((table) => {
      const now = tables.find(({ name }) => name === table.name);
      return now ? columnProblems(table, now) : [`there is no table ${table.name}`];
    });
  if (problems.length === 0) return;
  throw new AppError(
    'export-unusable',
    `The export has the migrations ${migrations.join(', ')}, and its rows do not fit into the tables of today: ${problems.join('; ')}.`,
  );
}

function columnProblems(then: RowTable, now: RowTable): string[] {
  const gone = then.columns.flatMap(({ name, type }) => {
    const column = now.columns.find((candidate) => candidate.name === name);
    if (!column) return [`${then.name}.${name} is not there any more`];
    return column.type === type ? [] : [`${then.name}.${name} was ${type} and is ${column.type}`];
  });
  // One with a default would get it, and the rows would not be those that were exported.
  const added = now.columns
    .filter(({ name }) => !then.columns.some((column) => column.name === name))
    .filter((column) => !column.nullable || column.default || column.generated)
    .map(({ name }) => `${then.name}.${name} is new, and may not be null or has a default`);
  return [...gone, ...added];
}

import type { MigrationMode } from './migration-modes.ts';
import type { Migration } from './migrator.ts';

/** Placements that have the same migrations. */
export interface PlacementGroup {
  /** Checksums of what was applied, by version. */
  readonly done: Readonly<Record<string, string>>;
  readonly placements: number;
  /** Names of the first of them. */
  readonly first: readonly string[];
}

/** A migration, and where it is to run. */
export interface FleetStep {
  readonly version: string;
  readonly mode: MigrationMode;
  readonly placements: number;
  /** Some of them. */
  readonly first: readonly string[];
}

/** A migration whose file is not what was applied. */
export interface EditedMigration {
  readonly version: string;
  readonly placements: number;
  readonly first: readonly string[];
  /** Checksums of what was applied. */
  readonly editions: readonly string[];
}

/** A migration that placements have and that has no file any more, or not yet: it runs in no others. */
export type WithdrawnMigration = Omit<FleetStep, 'mode'>;

/** What is to run where. */
export interface FleetPlan {
  readonly placements: number;
  /** Of these, so many lack nothing. */
  readonly upToDate: number;
  /** In the order in which each placement gets them. */
  readonly steps: readonly FleetStep[];
  /** Placements that go first. The others follow if none of them fails. */
  readonly canaries: readonly string[];
  /** As long as there is one, nothing runs. */
  readonly edited: readonly EditedMigration[];
  /** Applied, but no file: a file was removed, or a newer deployment was here. */
  readonly withdrawn: readonly WithdrawnMigration[];
}

/** How many names a step gives for an example. */
export const examples = 3;

/**
 * Says what is to run where.
 *
 * @param groups what placements have; those with the same may be one group, or several
 * @param canaries how many of the placements that lack something go first
 */
export function planFleet(groups: readonly PlacementGroup[], files: readonly Migration[], canaries: number): FleetPlan {
  const sorted = [...files].sort((a, b) => (a.version < b.version ? -1 : 1));
  const lacks = ({ done }: PlacementGroup): boolean => sorted.some(({ version }) => !Object.hasOwn(done, version));
  const behind = groups.filter(lacks);
  const known = new Set(files.map(({ version }) => version));
  return {
    placements: count(groups),
    upToDate: count(groups) - count(behind),
    steps: sorted
      .map(({ version, mode = 'transaction' }) => ({
        version,
        mode,
        ...placementsOf(groups.filter(({ done }) => !Object.hasOwn(done, version))),
      }))
      .filter(({ placements }) => placements > 0),
    canaries: behind
      .flatMap(({ first }) => first)
      .sort()
      .slice(0, canaries),
    edited: sorted.map((file) => editedIn(groups, file)).filter(({ placements }) => placements > 0),
    withdrawn: [...new Set(groups.flatMap(({ done }) => Object.keys(done)))]
      .filter((version) => !known.has(version))
      .sort()
      .map((version) => ({ version, ...placementsOf(groups.filter(({ done }) => Object.hasOwn(done, version))) })),
  };
}

/** Plans of several databases as those of one fleet, in which so many placements go first, whatever their database. */
export function withSharedCanaries<Item extends { readonly plan: FleetPlan } | { readonly error: string }>(
  items: readonly Item[],
  canaries: number,
): readonly Item[] {
  let left = canaries;
  return items.map((item) => {
    if (!('plan' in item)) return item;
    const first = item.plan.canaries.slice(0, left);
    left -= first.length;
    return { ...item, plan: { ...item.plan, canaries: first } };
  });
}

function editedIn(groups: readonly PlacementGroup[], { version, checksum, replaces = [] }: Migration): EditedMigration {
  const isOther = (applied: string): boolean =>
    applied !== checksum && !replaces.some((edition) => applied.startsWith(edition));
  const others = groups.filter(({ done }) => isOther(done[version] ?? checksum));
  return {
    version,
    ...placementsOf(others),
    editions: [...new Set(others.flatMap(({ done }) => done[version] ?? []))],
  };
}

function placementsOf(groups: readonly PlacementGroup[]): Pick<FleetStep, 'placements' | 'first'> {
  return {
    placements: count(groups),
    first: groups
      .flatMap(({ first }) => first)
      .sort()
      .slice(0, examples),
  };
}

function count(groups: readonly PlacementGroup[]): number {
  return groups.reduce((sum, { placements }) => sum + placements, 0);
}

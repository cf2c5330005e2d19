import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planFleet, type PlacementGroup, withSharedCanaries } from '../../../shared/database/fleet-plan.ts';
import type { Migration } from '../../../shared/database/migrator.ts';

const version = (index: number): string => String(index).padStart(3, '0');
const file = (index: number, edition = 'a'): Migration => ({ version: version(index), checksum: edition, sql: '' });

interface Placement {
  readonly name: string;
  readonly done: Readonly<Record<string, string>>;
}

/** Groups placements as the database does. */
function grouped(placements: readonly Placement[], firstNames = 100): PlacementGroup[] {
  const groups = new Map<string, Placement[]>();
  for (const placement of placements) {
    const key = JSON.stringify(Object.entries(placement.done).sort());
    groups.set(key, [...(groups.get(key) ?? []), placement]);
  }
  return [...groups.values()].map((members) => ({
    done: members[0]?.done ?? {},
    placements: members.length,
    first: members
      .map(({ name }) => name)
      .sort()
      .slice(0, firstNames),
  }));
}

const files = fc.uniqueArray(fc.integer({ min: 1, max: 12 })).map((indexes) => indexes.map((index) => file(index)));
/** Any versions, now and then of another edition than the file's, or of no file at all. */
const done = fc.dictionary(
  fc.integer({ min: 1, max: 14 }).map(version),
  fc.oneof({ weight: 9, arbitrary: fc.constant('a') }, { weight: 1, arbitrary: fc.constant('b') }),
);
const placements = fc
  .array(done, { maxLength: 20 })
  .map((all) => all.map((each, index): Placement => ({ name: `t${version(index)}`, done: each })));
const canaries = fc.integer({ min: 0, max: 5 });

describe('the plan of a fleet', () => {
  it('brings every placement to every file, each once, in order', () => {
    fc.assert(
      fc.property(placements, files, (all, wanted) => {
        const { steps } = planFleet(grouped(all), wanted, 0);
        const lacking = wanted.flatMap(({ version }) =>
          all.filter((each) => !(version in each.done)).map(({ name }) => [version, name]),
        );
        expect(steps.reduce((sum, step) => sum + step.placements, 0)).toBe(lacking.length);
        expect(steps.map((step) => step.version)).toEqual([...new Set(lacking.map(([version]) => version))].sort());
        for (const step of steps) {
          const names = lacking.filter(([version]) => version === step.version).map(([, name]) => name);
          expect(step.placements).toBe(names.length);
          expect(step.first).toEqual(names.sort().slice(0, 3));
        }
      }),
    );
  });

  it('has nothing to do exactly where nothing is lacking', () => {
    fc.assert(
      fc.property(placements, files, (all, wanted) => {
        const plan = planFleet(grouped(all), wanted, 3);
        const complete = all.filter((each) => wanted.every(({ version }) => version in each.done));
        expect(plan).toMatchObject({ placements: all.length, upToDate: complete.length });
        expect(plan.steps.length === 0).toBe(complete.length === all.length || wanted.length === 0);
      }),
    );
  });

  it('says the same however placements are grouped, and in whatever order files come', () => {
    fc.assert(
      fc.property(placements, files, canaries, (all, wanted, first) => {
        const apart = all.map(({ name, done }): PlacementGroup => ({ done, placements: 1, first: [name] }));
        expect(planFleet(apart.reverse(), [...wanted].reverse(), first)).toEqual(
          planFleet(grouped(all), wanted, first),
        );
      }),
    );
  });

  it('sends canaries first, the first by name that lack something, and knows enough names of each group for that', () => {
    fc.assert(
      fc.property(placements, files, canaries, (all, wanted, first) => {
        const behind = all
          .filter((each) => wanted.some(({ version }) => !(version in each.done)))
          .map(({ name }) => name);
        expect(planFleet(grouped(all, Math.max(first, 3)), wanted, first).canaries).toEqual(
          behind.sort().slice(0, first),
        );
      }),
    );
  });

  it('names each file that was changed after it had been applied, and no other', () => {
    fc.assert(
      fc.property(placements, files, (all, wanted) => {
        const edited = wanted
          .map(({ version }) => ({ version, placements: all.filter((each) => each.done[version] === 'b').length }))
          .filter((each) => each.placements > 0)
          .sort((a, b) => (a.version < b.version ? -1 : 1));
        expect(planFleet(grouped(all), wanted, 0).edited).toMatchObject(edited);
        expect(planFleet(grouped(all), wanted, 0).edited).toHaveLength(edited.length);
      }),
    );
  });

  it('leaves alone what was applied and has no file, also where it was not applied', () => {
    const groups = [
      { done: { '001': 'a', '002': 'a' }, placements: 2, first: ['x'] },
      { done: { '001': 'a' }, placements: 1, first: ['y'] },
    ];
    expect(planFleet(groups, [file(1)], 1)).toEqual({
      placements: 3,
      upToDate: 3,
      steps: [],
      canaries: [],
      edited: [],
      withdrawn: [{ version: '002', placements: 2, first: ['x'] }],
    });
  });

  it('shares canaries with the plans of other databases, as a run does', () => {
    const lacking = (...first: readonly string[]) => ({
      plan: planFleet([{ done: {}, placements: first.length, first }], [file(1)], 3),
    });
    const error = { error: 'gone' };
    expect(withSharedCanaries([lacking('a', 'b'), error, lacking('c', 'd'), lacking('e')], 3)).toMatchObject([
      { plan: { canaries: ['a', 'b'] } },
      error,
      { plan: { canaries: ['c'] } },
      { plan: { canaries: [] } },
    ]);
  });
});

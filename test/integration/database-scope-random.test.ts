import fc from 'fast-check';
import type { KyselyPlugin } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ScopePlugin } from '../../shared/database/scope-plugin.ts';
import { freshSeed, isSoak } from '../helpers/soak.ts';
import { build } from './database-scope-build-writes.ts';
import { Constructs } from './database-scope-constructs.ts';
import {
  behindPlugin,
  behindPolicies,
  type Outcome,
  rewritten,
  type Rows,
  type ScopeDatabases,
  startScopeDatabases,
} from './database-scope-harness.ts';
import { leavingOut, rules } from './database-scope-holes.ts';
import { query, type Query } from './database-scope-random.ts';
import { type Write, write } from './database-scope-random-writes.ts';

let databases: ScopeDatabases;
let foreignRows: readonly Rows[];
beforeAll(async () => {
  databases = await startScopeDatabases();
  foreignRows = foreign(await behindPlugin(databases, (db) => db.selectFrom('projects').select('id')));
});
afterAll(() => databases[Symbol.asyncDispose]());

const numRuns = isSoak ? 30_000 : 600;
const statement = fc.oneof(query(2), write(2));
const tookTooLong = '57014';

const isForeign = ([tenant]: readonly unknown[]) => tenant !== 'acme';
const foreign = ({ projects, tasks }: Outcome) => [projects.filter(isForeign), tasks.filter(isForeign)];
const own = ({ projects, tasks }: Outcome) => [
  projects.filter((row) => !isForeign(row)),
  tasks.filter((row) => !isForeign(row)),
];

/** @returns whether Postgres has answered, and not refused the statement; a refusal on one side alone throws */
async function compare(description: Query | Write, plugin: KyselyPlugin | null): Promise<boolean> {
  const expected = await behindPolicies(databases, (db) => build(db, description));
  const actual = await behindPlugin(databases, (db) => build(db, description), plugin);
  if (expected.rows === tookTooLong || actual.rows === tookTooLong) return false;
  const hint = () =>
    `${rewritten((db) => build(db, description), null).sql}\nrewritten:\n${rewritten((db) => build(db, description), plugin).sql}`;
  try {
    expect(actual.rows, 'the answer').toEqual(expected.rows);
    expect(own(actual), 'rows of the own tenant').toEqual(own(expected));
    expect(foreign(actual), 'rows of the other tenant').toEqual(foreignRows);
  } catch (error) {
    throw new Error(`${String(error)}\nof the query:\n${hint()}`);
  }
  return typeof expected.rows !== 'string';
}

describe('random queries give the same rows and changes behind the plugin alone as behind the policies alone', () => {
  test.each([
    ['the fixed seed', 1],
    ['a fresh seed', freshSeed()],
  ])('with %s %i', { timeout: isSoak ? 1_800_000 : 60_000 }, async (_, seed) => {
    const constructs = new Constructs();
    let answered = 0;
    const property = fc.asyncProperty(statement, async (description) => {
      rewritten((db) => constructs.counted(build(db, description)), null);
      if (await compare(description, new ScopePlugin())) answered += 1;
    });
    await fc.assert(property, { numRuns, seed });
    console.log(`Scope plugin, seed ${seed}: ${answered} of ${numRuns} queries answered. ${constructs.toString()}`);
    // A query that Postgres refuses proves little.
    expect(answered).toBeGreaterThan(numRuns * 0.8);
    expect(constructs.missing(Math.ceil(numRuns / 100))).toEqual([]);
  });
});

describe('they do not, and the test notices it,', () => {
  /** How the first difference was reported, with the seed 1. */
  const difference = async (plugin: KyselyPlugin | null): Promise<string> => {
    const property = fc.asyncProperty(statement, async (description) => void (await compare(description, plugin)));
    const { failed, errorInstance } = await fc.check(property, { numRuns: 500, seed: 1 });
    return failed ? String(errorInstance) : 'none';
  };
  const aDifference = /Error: (the answer|rows of the (own|other) tenant): expected[^]*of the query:\n.*\nrewritten:\n/;

  test('without the plugin', async () => {
    expect(await difference(null)).toMatch(aDifference);
  });

  test.each(rules)('with a plugin that leaves %s as they are', async (rule) => {
    expect(await difference(leavingOut(rule))).toMatch(aDifference);
  });
});

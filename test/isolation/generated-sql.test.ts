import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';
import { freshSeed, isSoak } from '../helpers/soak.ts';
import { laySiege, type Siege } from './generated-sql/siege.ts';

const perSeed = isSoak ? 150_000 : 10_000;
/** The fresh one is in the test's name, so that a failure can be repeated: TENANTRY_SEED=<seed>. */
const seeds = { fixed: 20_260_101, fresh: freshSeed() };

let database: TestDatabase;
let siege: Siege;

beforeAll(async () => {
  database = await createTestDatabase();
  siege = await laySiege(database);
});
afterAll(() => database[Symbol.asyncDispose]());

describe(`${2 * perSeed} generated statements of one tenant`, () => {
  const used = new Set<string>();

  it.each(Object.entries(seeds))(
    'show and change nothing of any other, with a %s seed, %d',
    { timeout: 1_800_000 },
    async (_, seed) => {
      const report = await siege.attack(seed, perSeed);
      expect(report.breach).toBeUndefined();
      expect(report.answered).toBe(perSeed);
      // Statements that are only ever refused for their grammar would prove nothing.
      expect(report.succeeded / perSeed).toBeGreaterThan(0.5);
      for (const code of ['TN001', 'TN002', 'TN003', 'TN004', 'TN005', '42501', '23505', '23503', '22P02'])
        expect(report.codes.get(code), `refusals with ${code}`).toBeGreaterThan(0);
      for (const name of report.used) used.add(name);
    },
  );

  it('have tried every table, view and function that the application can reach', () => {
    const open = siege.reach.relations.filter(({ room }) => room === 'open').map(({ name }) => name);
    const ours = siege.reach.routines.filter(({ room }) => room === 'ours').map(({ name }) => name);
    expect(open).toEqual(expect.arrayContaining(['pool.projects', 'pool.tasks', 'pool.idempotency_keys']));
    expect(ours).toEqual(expect.arrayContaining(['tenancy.run', 'tenancy.run_batch', 'registry.current_placement']));
    expect([...open, ...ours].filter((name) => !used.has(name))).toEqual([]);
  });
});

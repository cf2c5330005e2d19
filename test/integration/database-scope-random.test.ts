import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';
import { behindPlugin, behindPolicies, seed } from './database-scope-harness.ts';
import { build, query } from './database-scope-random.ts';

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await createTestDatabase();
  await postgres.addTenants('acme', 'globex');
  await seed(postgres);
});
afterAll(() => postgres[Symbol.asyncDispose]());

const tookTooLong = '57014';

test('random queries give the same rows behind the plugin alone as behind the policies alone', async () => {
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(query(2), async (description) => {
      const expected = await behindPolicies(postgres, (db) => build(db, description));
      const actual = await behindPlugin(postgres, (db) => build(db, description));
      if (expected.rows === tookTooLong || actual.rows === tookTooLong) return;
      expect(actual.rows).toEqual(expected.rows);
      if (typeof expected.rows !== 'string') answered += 1;
    }),
    { numRuns: 300, seed: 1 },
  );
  // A query that Postgres refuses proves nothing.
  expect(answered).toBeGreaterThan(250);
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';
import { behindPlugin, behindPolicies, type Rows, seed } from './database-scope-harness.ts';
import { reads } from './database-scope-reads.ts';
import { writes } from './database-scope-writes.ts';

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await createTestDatabase();
  await postgres.addTenants('acme', 'globex');
  await seed(postgres);
});
afterAll(() => postgres[Symbol.asyncDispose]());

const foreign = (table: Rows) => table.filter(([tenant]) => tenant !== 'acme');
const own = (table: Rows) => table.filter(([tenant]) => tenant === 'acme');

describe('the plugin without policies gives the same as policies without the plugin, for', () => {
  test.each(Object.entries(reads))('%s', async (_, query) => {
    const expected = await behindPolicies(postgres, query);
    expect(expected.rows).not.toEqual([]);
    expect(typeof expected.rows).toBe('object');
    expect((await behindPlugin(postgres, query)).rows).toEqual(expected.rows);
  });

  test.each(Object.entries(writes))('%s', async (_, query) => {
    const before = await behindPlugin(postgres, (db) => db.selectFrom('projects').select('id'));
    const expected = await behindPolicies(postgres, query);
    expect(typeof expected.rows === 'string' ? expected.rows : '').toBe('');
    const actual = await behindPlugin(postgres, query);
    expect(actual.rows).toEqual(expected.rows);
    expect([own(actual.projects), own(actual.tasks)]).toEqual([expected.projects, expected.tasks]);
    expect([foreign(actual.projects), foreign(actual.tasks)]).toEqual([
      foreign(before.projects),
      foreign(before.tasks),
    ]);
  });
});

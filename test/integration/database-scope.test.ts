import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  behindPlugin,
  behindPolicies,
  type Rows,
  type ScopeDatabases,
  startScopeDatabases,
} from './database-scope-harness.ts';
import { reads } from './database-scope-reads.ts';
import { writes } from './database-scope-writes.ts';

let databases: ScopeDatabases;
beforeAll(async () => {
  databases = await startScopeDatabases();
});
afterAll(() => databases[Symbol.asyncDispose]());

const foreign = (table: Rows) => table.filter(([tenant]) => tenant !== 'acme');
const own = (table: Rows) => table.filter(([tenant]) => tenant === 'acme');

describe('the plugin without policies gives the same as policies without the plugin, for', () => {
  test.each(Object.entries(reads))('%s', async (_, query) => {
    const expected = await behindPolicies(databases, query);
    expect(expected.rows).not.toEqual([]);
    expect(typeof expected.rows).toBe('object');
    expect((await behindPlugin(databases, query)).rows).toEqual(expected.rows);
  });

  test.each(Object.entries(writes))('%s', async (_, query) => {
    const before = await behindPlugin(databases, (db) => db.selectFrom('projects').select('id'));
    const expected = await behindPolicies(databases, query);
    expect(typeof expected.rows === 'string' ? expected.rows : '').toBe('');
    const actual = await behindPlugin(databases, query);
    expect(actual.rows).toEqual(expected.rows);
    expect([own(actual.projects), own(actual.tasks)]).toEqual([expected.projects, expected.tasks]);
    expect([foreign(actual.projects), foreign(actual.tasks)]).toEqual([
      foreign(before.projects),
      foreign(before.tasks),
    ]);
  });
});

import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

it('docs/security.md describes exactly the classes of the audit, by their names and severities', async () => {
  const rows = (await readFile('docs/security.md', 'utf8')).matchAll(/^\| (\d+) +\| (\w+) +\| (.+?) +\| (.+?) +\|/gm);
  const described = [...rows].map(([, number, severity, name]) => ({ class: Number(number), severity, name }));
  const { rows: classes } = await database.owner.query(
    'select class, severity, name from tenancy.audit_classes() order by 1',
  );
  expect(described).toEqual(classes);
});

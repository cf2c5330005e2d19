import { afterAll, beforeAll, expect, test } from 'vitest';
import { tables } from '../../shared/database/index.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await createTestDatabase();
});
afterAll(() => postgres[Symbol.asyncDispose]());

/** Postgres's own long names of types, and how columns.ts calls them. */
const shortNames: Readonly<Record<string, string>> = {
  'timestamp with time zone': 'timestamptz',
  'timestamp without time zone': 'timestamp',
  'time without time zone': 'time',
};

test('tables.ts declares every table and column of a migrated schema: names, types, nullability, defaults', async () => {
  const { rows } = await postgres.superuser.query<{
    table: string;
    column: string;
    type: string;
    isNullable: boolean;
    hasDefault: boolean;
  }>(`
    select c.relname as table, a.attname as column, format_type(a.atttypid, a.atttypmod) as type,
      not a.attnotnull as "isNullable", a.atthasdef or a.attidentity <> '' as "hasDefault"
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = 'pool'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped`);
  const catalog: Record<string, Record<string, object>> = {};
  for (const { table, column, type, ...rest } of rows) {
    (catalog[table] ??= {})[column] = { type: shortNames[type] ?? type, ...rest };
  }

  const declared = Object.entries(tables).map(([name, columns]) => [
    name,
    Object.fromEntries(
      Object.entries(columns).map(([column, { type, isNullable, hasDefault }]) => [
        column,
        { type, isNullable, hasDefault },
      ]),
    ),
  ]);

  expect(Object.fromEntries(declared)).toEqual(catalog);
});

import { readFileSync } from 'node:fs';
import { type Compilable, type RawBuilder, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TenantScopeError } from '../../shared/database/index.ts';
import {
  behindPlugin,
  behindPolicies,
  type Database,
  rewritten,
  type Rows,
  type ScopeDatabases,
  startScopeDatabases,
} from './database-scope-harness.ts';

const page = readFileSync('docs/scope-plugin.md', 'utf8');
const asStatement = (fragment: RawBuilder<unknown>) => (db: Database) => ({ compile: () => fragment.compile(db) });

/** By what the page says of it, a query that the plugin does not narrow. */
const blindSpots: Record<string, (db: Database) => Compilable> = {
  'A statement that is a fragment': asStatement(sql`select id from projects`),
  'A table that the text names': (db) => db.selectFrom(sql<{ id: string }>`projects`.as('p')).select('p.id'),
  'A table that `sql.id` names': (db) =>
    db.selectFrom(sql<{ id: string }>`${sql.id('projects')}`.as('p')).select('p.id'),
  'A table that `sql.table` names in text': (db) =>
    db
      .selectFrom('projects')
      .select('id')
      .where(sql<boolean>`exists (select from ${sql.table('tasks')} where tasks.project_id = projects.id)`),
  'A sub-query that is text': (db) =>
    db
      .selectFrom('projects')
      .select('id')
      .where(sql<boolean>`exists (select from tasks where tasks.project_id = projects.id)`),
  'Text that closes a parenthesis': (db) =>
    db
      .selectFrom('projects')
      .select('id')
      .where(sql<boolean>`true) or (true`),
  'A table that is not in `tables.ts`': (db) => db.selectFrom('all_projects' as 'projects').select('id'),
};

let databases: ScopeDatabases;
beforeAll(async () => {
  databases = await startScopeDatabases();
  for (const { superuser } of [databases.open, databases.policies])
    await superuser.query(`
      create view pool.all_projects with (security_invoker) as select * from pool.projects;
      grant select on pool.all_projects to tenantry_app`);
});
afterAll(() => databases[Symbol.asyncDispose]());

describe('what the plugin does not see, as its page says, the policies stop:', () => {
  test.each(Object.entries(blindSpots))('%s', async (name, query) => {
    expect(page).toContain(`| ${name} `);
    const narrowed = (await behindPolicies(databases, query)).rows as Rows;
    const open = (await behindPlugin(databases, query)).rows as Rows;
    expect(narrowed.length).toBeGreaterThan(0);
    expect(open.length).toBeGreaterThan(narrowed.length);
  });

  test('every row of the table on that page', () => {
    const named = [...page.matchAll(/^\| (?!-|What)(.+?) +\|/gm)].map(([, name]) => name);
    expect(named).toEqual(Object.keys(blindSpots));
  });
});

describe('what the text of a fragment says of tenant_id', () => {
  test.each<[string, (db: Database) => Compilable]>([
    ['inserts', (db) => db.insertInto('projects').values({ tenant_id: sql<string>`'globex'`, name: 'One' })],
    ['updates', (db) => db.updateTable('projects').set({ tenant_id: sql<string>`'globex'` } as never)],
  ])('is refused where it %s', (_, query) => {
    expect(() => rewritten(query)).toThrow(TenantScopeError);
  });

  test('finds nothing where it asks for another tenant', async () => {
    const query = (db: Database) =>
      db
        .selectFrom('projects')
        .select('id')
        .where(sql<boolean>`tenant_id = 'globex'`);
    expect((await behindPlugin(databases, query)).rows).toEqual([]);
    expect((await behindPolicies(databases, query)).rows).toEqual([]);
  });
});

/** Where the plugin is stricter than Postgres: a table that stands in a right or full join is a sub-query to what is around it. */
const stricter: Record<string, [errorCode: string, query: (db: Database) => Compilable]> = {
  'a name with its schema': [
    '42P01',
    (db) =>
      db
        .withSchema('pool')
        .selectFrom('projects')
        .fullJoin('tasks', 'tasks.project_id', 'projects.id')
        .select(['projects.name', 'title']),
  ],
  'a group by its key': [
    '42803',
    (db) =>
      db
        .selectFrom('projects')
        .rightJoin('tasks', 'tasks.project_id', 'projects.id')
        .groupBy(['projects.tenant_id', 'projects.id'])
        .select('projects.name'),
  ],
  'a system column': [
    '42703',
    (db) =>
      db
        .selectFrom('projects')
        .rightJoin('tasks', 'tasks.project_id', 'projects.id')
        .select(sql<boolean>`projects.xmin is null`.as('is_new')),
  ],
};

describe('of a table in a right or full join the plugin lets Postgres refuse', () => {
  test.each(Object.entries(stricter))('%s', async (_, [errorCode, query]) => {
    expect((await behindPolicies(databases, query)).rows.length).toBeGreaterThan(0);
    expect((await behindPlugin(databases, query)).rows).toBe(errorCode);
  });
});

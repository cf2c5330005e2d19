import { type Compilable, type Kysely, sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { TenantScopeError } from '../../../shared/database/scope-error.ts';
import { ScopePlugin } from '../../../shared/database/scope-plugin.ts';
import type { Tables } from '../../../shared/database/tables.ts';
import { inTenant } from '../../helpers/cache.ts';
import { compileOnly } from './compile-only.ts';

type MakeQuery = (db: Kysely<Tables>) => Compilable;

const db = compileOnly(new ScopePlugin());
const compiled = (query: MakeQuery) => inTenant('acme', () => query(db).compile());
const statement = (query: MakeQuery) => {
  const { sql: text, parameters } = compiled(query);
  return { text, parameters };
};
const named = (tenant: string) => ({ tenant_id: tenant, name: 'One' });

describe('the plugin refuses', () => {
  test.each<[string, MakeQuery]>([
    ['a row of another tenant', (q) => q.insertInto('projects').values(named('globex'))],
    ['one of another tenant among several', (q) => q.insertInto('projects').values([named('acme'), named('globex')])],
    [
      'one of another tenant beside one that leaves it out',
      (q) => q.insertInto('projects').values([{ name: 'Two' }, named('globex')]),
    ],
    [
      'an expression for the tenant of a row',
      (q) => q.insertInto('projects').values({ name: 'One', tenant_id: sql<string>`'acme'` }),
    ],
    [
      'an insert from a query that does not name its columns',
      (q) => q.insertInto('projects').expression((eb) => eb.selectFrom('projects').selectAll()),
    ],
    [
      'an insert from a query that says the tenant itself',
      (q) =>
        q
          .insertInto('projects')
          .columns(['tenant_id', 'name'])
          .expression((eb) => eb.selectFrom('projects').select(['tenant_id', 'name'])),
    ],
    ['an update that gives a row away', (q) => q.updateTable('projects').set({ tenant_id: 'globex' } as never)],
    [
      'an update that gives a row away by a reference',
      (q) => q.updateTable('projects').set(sql.ref<string>('tenant_id'), 'globex'),
    ],
    [
      'an upsert that gives a row away',
      (q) =>
        q
          .insertInto('projects')
          .values({ name: 'One' })
          .onConflict((c) => c.columns(['tenant_id', 'id']).doUpdateSet({ tenant_id: 'globex' } as never)),
    ],
    ['a question for another tenant', (q) => q.selectFrom('projects').select('id').where('tenant_id', '=', 'globex')],
    [
      'a question for another tenant by a reference',
      (q) => q.selectFrom('projects').select('id').where(sql.ref('projects.tenant_id'), '=', 'globex'),
    ],
    [
      'a question for several tenants',
      (q) => q.selectFrom('projects').select('id').where('tenant_id', 'in', ['acme', 'globex']),
    ],
    [
      'a question that names the other tenant first',
      (q) =>
        q
          .selectFrom('projects')
          .select('id')
          .where((eb) => eb(eb.val('globex'), '=', eb.ref('tenant_id'))),
    ],
    [
      'a question for several tenants, of which some are expressions',
      (q) =>
        q
          .selectFrom('projects')
          .select('id')
          .where((eb) => eb('tenant_id', 'in', [eb.val('acme'), eb.val('globex')])),
    ],
  ])('%s', (_, query) => {
    expect(() => compiled(query)).toThrow(TenantScopeError);
  });
});

describe('the plugin passes', () => {
  test.each<[string, MakeQuery]>([
    [
      'rows that are not of another tenant',
      (q) => q.selectFrom('projects').select('id').where('tenant_id', '!=', 'globex'),
    ],
    [
      'rows of no tenant, which there are none of',
      (q) => q.selectFrom('projects').select('id').where('tenant_id', '=', null),
    ],
    [
      'rows of the tenant of another row',
      (q) => q.selectFrom('tasks').innerJoin('projects', 'projects.tenant_id', 'tasks.tenant_id').select('tasks.id'),
    ],
    [
      'what a fragment makes of the tenant',
      (q) =>
        q
          .selectFrom('projects')
          .select('id')
          .where(sql`upper(${sql.ref('tenant_id')})`, '=', 'GLOBEX'),
    ],
    [
      'an expression that the database compares',
      (q) =>
        q
          .selectFrom('projects')
          .select('id')
          .where('tenant_id', 'in', [sql<string>`lower('ACME')`]),
    ],
  ])('%s', (_, query) => {
    expect(() => compiled(query)).not.toThrow();
  });
});

describe('the plugin makes', () => {
  const own = (table: string): string => `"${table}"."tenant_id" = %`;
  const filtered = (table: string): string => `(select * from "${table}" where ${own(table)}) as "${table}"`;

  test.each<[string, MakeQuery, string]>([
    [
      'nothing of a table without tenants',
      (q) =>
        q
          .insertInto('places' as 'projects')
          .values({ name: 'One' })
          .returning('id'),
      'with "$affected"(c0) as (insert into "places" ("name") values (%) returning "id") select tenancy.out(c0) as "id" from "$affected"',
    ],
    [
      'a condition for a cross join',
      (q) => q.selectFrom('projects').crossJoin('tasks').select('tasks.id'),
      `select "tasks"."id" from "projects" cross join "tasks" where ${own('projects')} and ${own('tasks')}`,
    ],
    [
      'a condition for each table that a delete uses',
      (q) =>
        q.deleteFrom('tasks').using('projects').whereRef('projects.id', '=', 'tasks.project_id').returning('tasks.id'),
      `delete from "tasks" using "projects" where ${own('tasks')} and ${own('projects')} and ("projects"."id" = "tasks"."project_id") returning "tasks"."id"`,
    ],
    [
      'filtered tables of a right join, also beside another join',
      (q) =>
        q
          .selectFrom('projects')
          .innerJoin('tasks', 'tasks.project_id', 'projects.id')
          .rightJoin('tasks as t', 't.id', 'tasks.id')
          .select('t.id'),
      `select "t"."id" from ${filtered('projects')} inner join ${filtered('tasks')} on "tasks"."project_id" = "projects"."id"` +
        ` right join (select * from "tasks" where ${own('tasks')}) as "t" on "t"."id" = "tasks"."id"`,
    ],
    [
      'a table of that name of a WITH of its own, but not of what comes after it',
      (q) =>
        q
          .with('projects', (w) => w.selectFrom('projects').select('id'))
          .with('again', (w) => w.selectFrom('projects').select('id'))
          .selectFrom('again')
          .select('id'),
      `with "projects" as (select "id" from "projects" where ${own('projects')}), "again" as (select "id" from "projects") select "id" from "again"`,
    ],
    [
      'nothing of what a WITH around it has named',
      (q) =>
        q
          .with('tasks', (w) => w.selectFrom('tasks').select('id'))
          .selectFrom((eb) =>
            eb
              .selectFrom('projects')
              .where((of) => of.exists(of.selectFrom('tasks').select('tasks.id')))
              .select('projects.id')
              .as('p'),
          )
          .select('p.id'),
      `with "tasks" as (select "id" from "tasks" where ${own('tasks')}) select "p"."id" from (select "projects"."id" from "projects"` +
        ` where ${own('projects')} and (exists (select "tasks"."id" from "tasks"))) as "p"`,
    ],
    [
      'a table that is named with its schema, whatever a WITH has named',
      (q) =>
        q
          .with('projects', (w) => w.selectFrom('projects').select('id'))
          .selectFrom('pool.projects as p' as 'projects as p')
          .select('p.id'),
      `with "projects" as (select "id" from "projects" where ${own('projects')}) select "p"."id" from "pool"."projects" as "p" where ${own('p')}`,
    ],
    [
      'nothing of conditions of a merge but of rows that it finds no source for',
      (q) =>
        q
          .mergeInto('projects')
          .using('tasks', 'tasks.project_id', 'projects.id')
          .whenMatchedAnd('tasks.title', '=', 'Old')
          .thenDelete()
          .whenNotMatchedBySourceAnd('projects.archived', '=', true)
          .thenDelete()
          .returning('projects.id'),
      `merge into "projects" using ${filtered('tasks')} on ${own('projects')} and ("tasks"."project_id" = "projects"."id")` +
        ` when matched and "tasks"."title" = % then delete` +
        ` when not matched by source and ${own('projects')} and ("projects"."archived" = %) then delete returning "projects"."id"`,
    ],
  ])('%s', (_, query, text) => {
    expect(statement(query).text.replaceAll(/%\d+\$L/g, '%')).toBe(text);
  });
});

describe('the plugin makes the same of a query, whether it names the own tenant or not:', () => {
  test.each<[string, MakeQuery, MakeQuery]>([
    [
      'the columns of a conflict',
      (q) =>
        q
          .insertInto('projects')
          .values({ name: 'One' })
          .onConflict((c) => c.columns(['tenant_id', 'id']).doNothing()),
      (q) =>
        q
          .insertInto('projects')
          .values({ name: 'One' })
          .onConflict((c) => c.columns(['id']).doNothing()),
    ],
    [
      'a row of nothing but defaults',
      (q) => q.insertInto('projects').values({ tenant_id: 'acme' } as never),
      (q) => q.insertInto('projects').defaultValues(),
    ],
    [
      'rows of which some name it',
      (q) => q.insertInto('projects').values([named('acme'), { ...named('acme'), version: 2 }]),
      (q) => q.insertInto('projects').values([named('acme'), { name: 'One', version: 2 }]),
    ],
  ])('%s', (_, naming, leavingOut) => {
    expect(statement(leavingOut)).toEqual(statement(naming));
  });

  test('a row that takes over the tenant of the row it was', () => {
    const query: MakeQuery = (q) =>
      q.updateTable('projects').set((eb) => ({ tenant_id: eb.ref('tenant_id') }) as never);
    expect(() => compiled(query)).not.toThrow();
  });
});

import { type Compilable, CompiledQuery, sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { asCompiledStatement } from '../../../shared/database/compiled-statement.ts';
import { compileOnly } from './compile-only.ts';

const db = compileOnly();
const compile = (query: Compilable) => asCompiledStatement(query.compile());

describe('a statement', () => {
  test('has placeholders of format(), and every other percent sign doubled', () => {
    const query = db
      .selectFrom('projects')
      .select(['id', sql<string>`'100%' || ${'a%b'}`.as('50%')])
      .where('name', 'like', '%x%')
      .where(sql<boolean>`version % 2 = ${sql.lit('%')}`);
    const { sql: text, parameters } = compile(query);
    expect(text).toContain(`'100%%' || %1$L`);
    expect(text).toContain('"50%%"');
    expect(text).toContain('"name" like %2$L');
    expect(text).toContain(`version %% 2 = '%%'`);
    expect(parameters).toEqual(['a%b', '%x%']);
  });

  test('that selects narrow columns is left alone', () => {
    const { sql: text } = compile(db.selectFrom('projects').selectAll().orderBy('id').limit(3));
    expect(text).toBe('select * from "projects" order by "id" limit %1$L');
  });

  test.each<[string, Compilable]>([
    [
      'a column of a join',
      db
        .selectFrom('projects as p')
        .innerJoin('tasks as t', 't.project_id', 'p.id')
        .select(['p.id', 't.title as name']),
    ],
    ['a sub-query', db.selectFrom((eb) => eb.selectFrom('tasks').selectAll().as('t')).select('t.due_on')],
    [
      'a common table expression',
      db
        .with('x', (q) => q.selectFrom('tasks').select(['id', 'title as t']))
        .selectFrom('x')
        .selectAll(),
    ],
    [
      'a common table expression with names',
      db
        .with('x(a)', ((q: typeof db) => q.selectFrom('tasks').select('id')) as never)
        .selectFrom('x' as never)
        .select('a' as never),
    ],
    ['a union', db.selectFrom('tasks').select('id').union(db.selectFrom('projects').select('id'))],
    ['what an insert returns', db.insertInto('projects').values({ name: 'x' }).returningAll()],
    [
      'what a delete returns of a table that it uses',
      db.deleteFrom('tasks').using('projects as p').returning('p.name'),
    ],
    [
      'what an update returns of a table that it reads',
      db.updateTable('tasks').from('projects as p').set({ title: 'x' }).returning('p.name'),
    ],
    [
      'what a merge returns of its source',
      db
        .mergeInto('projects')
        .using('tasks as t', 't.project_id', 'projects.id')
        .whenMatched()
        .thenDelete()
        .returning('t.title'),
    ],
  ])('with %s that is narrow is left alone', (_, query) => {
    expect(compile(query).sql).not.toContain('tenancy.out');
  });

  test.each<[string, Compilable]>([
    ['a declared bigint', db.selectFrom('idempotency_keys as k').select('k.expires_at')],
    ['all columns', db.selectFrom('idempotency_keys').selectAll('idempotency_keys')],
    ['a sub-query', db.selectFrom(db.selectFrom('idempotency_keys').selectAll().as('x')).selectAll()],
    [
      'a common table expression that hides a narrow table',
      db
        .with('tasks', (q) => q.selectFrom('idempotency_keys').select('expires_at as title'))
        .selectFrom('tasks')
        .select('title' as never),
    ],
    [
      'an arm of a union',
      db
        .selectFrom('projects')
        .select('version as v')
        .union(db.selectFrom('idempotency_keys').select('expires_at as v') as never),
    ],
    [
      'a recursive expression',
      db
        .withRecursive('r(n)', (q) =>
          q
            .selectFrom('projects')
            .select('version as n')
            .unionAll(q.selectFrom('r').select(sql<number>`n + 1`.as('n'))),
        )
        .selectFrom('r')
        .select('n'),
    ],
    ['an expression of unknown type', db.selectFrom('projects').select(({ fn }) => fn.sum('version').as('sum'))],
    ['a column that nobody declared', db.selectFrom(sql`generate_series(1, 3)`.as('s')).select(sql.ref('s').as('s'))],
  ])('with %s leaves as text', (_, query) => {
    expect(compile(query).sql).toMatch(/tenancy\.out\(c0\)|tenancy\.out\(c5\)/);
  });

  test.each<[string, Compilable]>([
    ['everything of a fragment', db.selectFrom(sql`generate_series(1, 3)`.as('s')).selectAll()],
    [
      'everything of a table and a fragment',
      db
        .selectFrom('projects')
        .innerJoin(sql`generate_series(1, 3)`.as('s'), (join) => join.onTrue())
        .selectAll(),
    ],
  ])('that selects %s is asked to name its columns', (_, query) => {
    expect(() => query.compile()).toThrow('Name each column');
  });

  test('moves the WITH of a query that writes to where Postgres wants it', () => {
    const { sql: text, isCount } = compile(
      db
        .with('old', (q) => q.selectFrom('projects').select('id'))
        .deleteFrom('tasks')
        .using('old')
        .whereRef('project_id', '=', 'old.id'),
    );
    expect(text).toMatch(
      /^with "old" as \(.*\), "\$affected" as \(delete from .* returning 1 .*\) select count\(\*\) as affected from "\$affected"$/,
    );
    expect(isCount).toBe(true);
  });

  test('that writes and returns wide columns is read by a query that makes them text', () => {
    const keys = db.insertInto('idempotency_keys').values({ key: 'k', status: 'COMPLETED', expires_at: '1' });
    const { sql: text, isCount } = compile(keys.returning(['key', 'expires_at']));
    expect(text).toMatch(
      /^with "\$affected"\(c0, c1\) as \(insert into .* returning "key", "expires_at"\) select c0 as "key", tenancy\.out\(c1\) as "expires_at" from "\$affected"$/,
    );
    expect(isCount).toBe(false);
  });

  test('that selects wide columns keeps its WITH outside of the query that makes them text', () => {
    const query = db.with('old', (q) => q.selectFrom('projects').select('id'));
    const { sql: text, isCount } = compile(query.selectFrom(['old', 'idempotency_keys']).select(['id', 'expires_at']));
    expect(text).toMatch(
      /^with "old" as \(select "id" from "projects"\) select c0 as "id", tenancy\.out\(c1\) as "expires_at" from \(?select .*\)? as q\(c0, c1\)$/,
    );
    expect(isCount).toBe(false);
  });

  test('that writes and returns nothing tells how many rows it has affected', () => {
    const { sql: text, isCount } = compile(db.deleteFrom('projects'));
    expect(text).toMatch(/^with "\$affected" as \(delete from "projects" returning 1 as "one"\) select count\(\*\)/);
    expect(isCount).toBe(true);
  });

  test('that is a fragment returns rows, and no count of them', () => {
    expect(asCompiledStatement(sql`select 1`.compile(db)).isCount).toBe(false);
  });

  test('that would explain another is refused', () => {
    const explained = db.selectFrom('projects').selectAll().toOperationNode();
    const executor = db.getExecutor();
    const node = { ...explained, explain: { kind: 'ExplainNode' } } as typeof explained;
    expect(() => executor.compileQuery(node, { queryId: '1' })).toThrow('EXPLAIN tells what other tenants have');
  });

  test('that changes tables is refused', () => {
    expect(() => db.schema.dropTable('projects').compile()).toThrow('Change tables in migrations/tenant');
  });

  test('that was compiled elsewhere is refused', () => {
    expect(() => asCompiledStatement(CompiledQuery.raw('select 1'))).toThrow('was not compiled by tenantDatabase()');
  });
});

describe('read only is', () => {
  test.each<[string, { compile: () => CompiledQuery }, boolean]>([
    ['a select', db.selectFrom('projects').selectAll(), true],
    ['a select of a column named like a command', db.selectFrom('projects').select('updated_at'), true],
    ['a select in a fragment', { compile: () => sql`  select 1`.compile(db) }, true],
    ['a select that locks', db.selectFrom('projects').selectAll().forUpdate(), false],
    ['a select that shares a lock', db.selectFrom('projects').selectAll().forKeyShare(), false],
    [
      'a select over a common table expression that writes',
      db
        .with('x', (q) => q.deleteFrom('tasks').returning('id'))
        .selectFrom('x')
        .selectAll(),
      false,
    ],
    ['an insert', db.insertInto('projects').values({ name: 'x' }), false],
    ['another fragment', { compile: () => sql`with x as (select 1) select * from x`.compile(db) }, false],
  ])('%s: %#', (_, query, expected) => {
    expect(compile(query).isReadOnly).toBe(expected);
  });
});

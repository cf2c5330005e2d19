import { type Compilable, sql } from 'kysely';
import type { Database } from './database-scope-harness.ts';

/** Queries that read, by what is special of them. */
export const reads: Record<string, (db: Database) => Compilable> = {
  'a select': (db) => db.selectFrom('projects').select(['id', 'name']),
  'a select of everything': (db) => db.selectFrom('tasks').select(({ fn }) => fn.countAll().as('n')),
  'a condition with or': (db) =>
    db
      .selectFrom('projects')
      .select('id')
      .where((eb) => eb.or([eb('version', '=', 1), eb('version', '=', 2)])),
  'a fragment with or': (db) =>
    db
      .selectFrom('projects')
      .select('id')
      .where(sql<boolean>`version = 1 or true`),
  'an alias': (db) => db.selectFrom('projects as p').select('p.id'),
  'a self join': (db) =>
    db.selectFrom('projects as a').innerJoin('projects as b', 'a.id', 'b.id').select(['a.name', 'b.description']),
  'two tables in from': (db) => db.selectFrom(['projects', 'tasks']).select(['projects.name', 'tasks.title']),
  'an inner join': (db) =>
    db.selectFrom('projects').innerJoin('tasks', 'tasks.project_id', 'projects.id').select(['projects.id', 'title']),
  'a left join': (db) =>
    db.selectFrom('projects').leftJoin('tasks', 'tasks.project_id', 'projects.id').select(['projects.id', 'title']),
  'a right join': (db) =>
    db.selectFrom('projects').rightJoin('tasks', 'tasks.project_id', 'projects.id').select(['projects.id', 'title']),
  'a full join': (db) =>
    db
      .selectFrom('projects')
      .fullJoin('tasks', 'tasks.estimate_minutes', 'projects.version')
      .select(['projects.id', 'title']),
  'a cross join': (db) => db.selectFrom('projects').crossJoin('tasks').select(['projects.id', 'title']),
  'a join with or in its condition': (db) =>
    db
      .selectFrom('projects')
      .innerJoin('tasks', (join) => join.on(sql<boolean>`tasks.project_id = projects.id or true`))
      .select(['projects.id', 'title']),
  'a left join after a full join': (db) =>
    db
      .selectFrom('projects as a')
      .fullJoin('projects as b', 'a.version', 'b.version')
      .leftJoin('tasks', 'tasks.project_id', 'a.id')
      .select(['a.id', 'b.id as other', 'title'])
      .where(sql<boolean>`true`),
  'a right join after a left join': (db) =>
    db
      .selectFrom('projects')
      .leftJoin('tasks as t', 't.project_id', 'projects.id')
      .rightJoin('tasks as u', 'u.id', 't.id')
      .select(['projects.id', 'u.title']),
  'a lateral join': (db) =>
    db
      .selectFrom('projects')
      .leftJoinLateral(
        (eb) =>
          eb
            .selectFrom('tasks')
            .whereRef('tasks.project_id', '=', 'projects.id')
            .select('title')
            .orderBy('title')
            .limit(1)
            .as('t'),
        (join) => join.onTrue(),
      )
      .select(['projects.id', 't.title']),
  'a correlated sub-query': (db) =>
    db.selectFrom('projects').select((eb) => [
      'id',
      eb
        .selectFrom('tasks')
        .whereRef('project_id', '=', 'projects.id')
        .select(({ fn }) => fn.countAll().as('n'))
        .as('n'),
    ]),
  exists: (db) =>
    db
      .selectFrom('projects')
      .select('id')
      .where((eb) => eb.exists(eb.selectFrom('tasks').whereRef('project_id', '=', 'projects.id').select('title'))),
  'not in a sub-query': (db) =>
    db
      .selectFrom('projects')
      .select('id')
      .where('id', 'not in', (eb) => eb.selectFrom('tasks').select('project_id')),
  'a sub-query in from': (db) =>
    db.selectFrom((eb) => eb.selectFrom('tasks').select(['project_id', 'title']).as('t')).select('t.title'),
  'a union': (db) => db.selectFrom('projects').select('name').unionAll(db.selectFrom('tasks').select('title as name')),
  'an except': (db) =>
    db
      .selectFrom('projects')
      .select('name')
      .except(db.selectFrom('projects').select('name').where('version', '>', 1)),
  'a common table expression': (db) =>
    db
      .with('p', (q) => q.selectFrom('projects').select('name'))
      .selectFrom('p')
      .select('name'),
  'a common table expression that hides a table': (db) =>
    db
      .with('tasks', (q) => q.selectFrom('projects').select('name'))
      .selectFrom('tasks')
      .select('name' as never),
  'a common table expression that hides itself': (db) =>
    db
      .with('projects', (q) => q.selectFrom('projects').select('name'))
      .selectFrom('projects')
      .select('name' as never),
  'a hidden table that a sub-query shows again': (db) =>
    db.selectFrom('tasks').select((eb) => [
      'title',
      eb
        .selectFrom(
          eb
            .selectFrom('tasks')
            .select(({ fn }) => fn.countAll().as('n'))
            .as('x'),
        )
        .select('x.n')
        .as('n'),
    ]),
  'a recursive expression': (db) =>
    db
      .withRecursive('r(n)', (q) =>
        q
          .selectFrom('projects')
          .select('version as n')
          .unionAll(
            q
              .selectFrom('r')
              .innerJoin('projects', (join) => join.onTrue())
              .select(sql<number>`r.n + 10`.as('n'))
              .where('r.n', '<', 20),
          ),
      )
      .selectFrom('r')
      .select('n'),
  'group by and having': (db) =>
    db
      .selectFrom('tasks')
      .groupBy('project_id')
      .having(({ fn }) => fn.countAll(), '>', 1)
      .select(({ fn }) => ['project_id', fn.sum('estimate_minutes').as('sum')]),
  'group by the primary key': (db) => db.selectFrom('projects').groupBy(['tenant_id', 'id']).select(['id', 'name']),
  'distinct on': (db) => db.selectFrom('tasks').distinctOn('title').select('title').orderBy('title'),
  'a window': (db) => db.selectFrom('tasks').select(({ fn }) => fn.countAll().over().as('n')),
  'a builder inside of a fragment': (db) =>
    db
      .selectFrom('projects')
      .select('id')
      .where(
        sql<boolean>`exists (${db
          .selectFrom('tasks')
          .whereRef('project_id', '=', 'projects.id' as never)
          .select('id')})`,
      ),
  'sql.table': (db) => db.selectFrom(sql.table('projects').as('p')).select(sql`name`.as('name')),
  'a table with a schema': (db) =>
    db
      .withSchema('pool')
      .selectFrom('projects')
      .innerJoin('tasks', 'tasks.project_id', 'projects.id')
      .select(['projects.name', 'title']),
  'an alias that renames columns': (db) =>
    db.selectFrom(sql.table('projects').as<'p'>(sql`p(a, b)`)).select(sql`a`.as('a')),
  'a lock': (db) =>
    db
      .selectFrom('projects')
      .leftJoin('tasks', 'tasks.project_id', 'projects.id')
      .select('projects.id')
      .forUpdate('projects'),
  'own tenant by name': (db) => db.selectFrom('projects').select('id').where('tenant_id', '=', 'acme'),
};

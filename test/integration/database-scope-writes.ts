import { type Compilable, sql } from 'kysely';
import type { Database } from './database-scope-harness.ts';

const id = (n: number) => `00000000-0000-7000-8000-00000000000${n}`;

/** Queries that write, by what is special of them. */
export const writes: Record<string, (db: Database) => Compilable> = {
  'an insert': (db) =>
    db
      .insertInto('projects')
      .values({ id: id(7), name: 'New' })
      .returning(['tenant_id', 'name']),
  'an insert of several rows': (db) =>
    db
      .insertInto('projects')
      .values([
        { id: id(7), name: 'New' },
        { id: id(8), name: 'Newer', version: 3 },
      ])
      .returning(['id', 'version']),
  'an insert of own tenant': (db) =>
    db.insertInto('projects').values([
      { tenant_id: 'acme', id: id(7), name: 'New' },
      { id: id(8), name: 'Newer' },
    ]),
  'an insert from a query': (db) =>
    db
      .insertInto('tasks')
      .columns(['id', 'project_id', 'title'])
      .expression((eb) =>
        eb
          .selectFrom('projects')
          .select([sql<string>`${id(9)}::uuid`.as('id'), 'id as project_id', 'name'])
          .where('version', '=', 1),
      ),
  'an insert from a union': (db) =>
    db
      .insertInto('projects')
      .columns(['id', 'name'])
      .expression((eb) =>
        eb
          .selectFrom('projects')
          .select([sql<string>`${id(8)}::uuid`.as('id'), sql<string>`'U' || name`.as('name')])
          .where('version', '=', 1)
          .union(
            eb
              .selectFrom('tasks')
              .select([sql<string>`${id(9)}::uuid`.as('id'), sql<string>`'T' || title`.as('name')])
              .where('title', '=', 'Task 1')
              .limit(1) as never,
          ),
      ),
  'an upsert': (db) =>
    db
      .insertInto('projects')
      .values({ id: id(1), name: 'Again' })
      .onConflict((c) => c.columns(['tenant_id', 'id']).doUpdateSet((eb) => ({ name: eb.ref('excluded.name') })))
      .returning('name'),
  'an upsert with a condition': (db) =>
    db
      .insertInto('projects')
      .values({ id: id(1), name: 'Again' })
      .onConflict((c) => c.columns(['tenant_id', 'id']).doUpdateSet({ version: 9 }).where('projects.version', '>', 5))
      .returning('name'),
  'an insert that does nothing': (db) =>
    db
      .insertInto('projects')
      .values({ id: id(1), name: 'Again' })
      .onConflict((c) => c.doNothing()),
  'an update': (db) => db.updateTable('projects').set({ archived: true }).returning('id'),
  'an update with an alias': (db) => db.updateTable('projects as p').set({ archived: true }).where('p.version', '>', 1),
  'an update from': (db) =>
    db
      .updateTable('projects')
      .from('tasks')
      .set((eb) => ({ description: eb.ref('tasks.title') }))
      .whereRef('tasks.project_id', '=', 'projects.id')
      .where('tasks.estimate_minutes', '=', 10),
  'an update from a left join': (db) =>
    db
      .updateTable('projects as p')
      .from('projects as q')
      .leftJoin('tasks as t', 't.project_id', 'q.id')
      .set((eb) => ({ description: eb.fn.coalesce('t.title', sql<string>`'none'`) }))
      .whereRef('q.id', '=', 'p.id')
      .where((eb) => eb.or([eb('t.estimate_minutes', '=', 10), eb('t.id', 'is', null)])),
  'an update by a sub-query': (db) =>
    db
      .updateTable('projects')
      .set((eb) => ({ version: eb.selectFrom('tasks').select(sql<number>`count(*)::int`.as('n')) })),
  'a delete': (db) => db.deleteFrom('tasks').where('estimate_minutes', '>', 0).returning('id'),
  'a delete of everything': (db) => db.deleteFrom('tasks'),
  'a delete using': (db) =>
    db
      .deleteFrom('tasks')
      .using('projects')
      .whereRef('tasks.project_id', '=', 'projects.id')
      .where('projects.version', '=', 1),
  'a delete using a join': (db) =>
    db
      .deleteFrom('tasks')
      .using('projects as p')
      .innerJoin('projects as q', 'q.id', 'p.id')
      .whereRef('tasks.project_id', '=', 'q.id'),
  'writes in common table expressions': (db) =>
    db
      .with('gone', (q) => q.deleteFrom('tasks').where('title', '=', 'Task 1').returning('project_id'))
      .updateTable('projects')
      .from('gone')
      .set({ version: 77 })
      .whereRef('projects.id', '=', 'gone.project_id'),
  'a write to a table that a common table expression hides': (db) =>
    db
      .with('projects', (q) => q.selectFrom('tasks').select('id'))
      .updateTable('projects')
      .set({ archived: true }),
  'a merge': (db) =>
    db
      .mergeInto('projects as p')
      .using('tasks as t', (join) => join.onRef('t.project_id', '=', 'p.id').on('t.title', '=', 'Task 1'))
      .whenMatched()
      .thenUpdateSet({ archived: true })
      .whenNotMatched()
      .thenInsertValues((eb) => ({ id: eb.ref('t.id'), name: eb.fn('concat', [eb.ref('t.title'), sql`t.id`]) })),
  'a merge that deletes what has no source': (db) =>
    db
      .mergeInto('tasks')
      .using('projects', 'projects.id', 'tasks.project_id')
      .whenMatchedAnd('tasks.estimate_minutes', '=', 0)
      .thenDelete()
      .whenNotMatchedBySource()
      .thenDelete(),
  'a merge that deletes, on a condition, what has no source': (db) =>
    db
      .mergeInto('projects as p')
      .using('tasks as t', 't.project_id', 'p.id')
      .whenNotMatchedBySourceAnd(sql<boolean>`p.version > 1 or true`)
      .thenDelete(),
};

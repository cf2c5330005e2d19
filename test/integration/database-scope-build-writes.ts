import { sql } from 'kysely';
import {
  type Builder,
  conditionOf,
  joined,
  joinSources,
  reference,
  select,
  withExpression,
} from './database-scope-build.ts';
import { columns, type Hidden, textOf } from './database-scope-columns.ts';
import { merge } from './database-scope-build-merge.ts';
import { type OnConflict, returned, type Statement, type Writing } from './database-scope-build-statement.ts';
import type { Database } from './database-scope-harness.ts';
import type { Query, Source, TableName } from './database-scope-random.ts';
import type { Delete, Insert, InsertFrom, InsertRow, Update, Write } from './database-scope-random-writes.ts';

/** The same query, whichever database it is for. */
export function build(db: Database, description: Query | Write): Statement {
  return description.kind === 'query' ? select(db, description, []) : writing(db, description, []);
}

function writing(db: Database, write: Write, hidden: Hidden): Statement {
  const { creator, inScope } = withFirst(db, write, hidden);
  switch (write.kind) {
    case 'insert':
      return insert(creator, write);
    case 'insert from':
      return insertFrom(creator, db, write, inScope);
    case 'update':
      return update(creator, db, write, inScope);
    case 'delete':
      return remove(creator, db, write, inScope);
    case 'merge':
      return merge(creator, db, write, inScope);
  }
}

function withFirst(db: Database, write: Write, hidden: Hidden) {
  const { first, table } = write;
  if (!first) return { creator: db, inScope: hidden };
  const { by } = first;
  if (by.kind === 'query')
    return withExpression(
      db,
      { name: first.name, by, isRecursive: write.kind !== 'merge' && 'isRecursive' in first && first.isRecursive },
      hidden,
    );
  // What happens to a row that two parts of a statement write, nobody can foretell: each writes a table of its own.
  const other = { ...by, table: table === 'projects' ? 'tasks' : 'projects' } as Write;
  const creator = db.with(first.name, () => writing(db, other, hidden) as never) as never as Database;
  return { creator, inScope: [...hidden, first.name] };
}

const projectId = (n: number) => `00000000-0000-7000-8000-00000000000${n}`;

function valuesOf(table: TableName, { id, project, isNamed }: InsertRow): Record<string, unknown> {
  const tenant = isNamed ? { tenant_id: 'acme' } : {};
  if (table === 'projects') return { ...tenant, id: projectId(id), name: `Project ${project + 3}`, version: id };
  const taskId = `00000000-0000-7000-9000-0000000000${project}${id % 4}`;
  return { ...tenant, id: taskId, project_id: projectId(project), title: `New ${id}`, estimate_minutes: id };
}

function insert(creator: Database, write: Insert): Statement {
  const { table, rows, conflict } = write;
  const number = columns[table].number;
  const inserting = (creator.insertInto(table) as unknown as Writing).values(rows.map((row) => valuesOf(table, row)));
  const resolved = (on: OnConflict) => {
    if (conflict === 'does nothing') return on.doNothing();
    const byKey = on.columns(['tenant_id', 'id']);
    if (conflict === 'does nothing by key') return byKey.doNothing();
    const updating = byKey.doUpdateSet({ [number]: sql`excluded.${sql.ref(number)} + 100` });
    return conflict === 'updates' ? updating : updating.where(sql`${sql.ref(`${table}.${number}`)} > 1 or true`);
  };
  return returned(conflict === 'fails' ? inserting : inserting.onConflict(resolved), write, table);
}

function insertFrom(creator: Database, db: Database, write: InsertFrom, hidden: Hidden): Statement {
  const { table, query, isFragment } = write;
  const rows = (db.selectFrom(select(db, query, hidden).as('x') as never) as unknown as Builder)
    .select([
      sql`md5(x.id)::uuid`.as('id'),
      table === 'tasks' ? sql`x.id::uuid`.as('project_id') : sql`x.id || count(*)`.as('name'),
      table === 'tasks' ? sql`coalesce(min(x.label), '-')`.as('title') : sql`count(*)::int`.as('version'),
    ])
    .where(sql<boolean>`x.id is not null` as never)
    .groupBy('x.id');
  const names = table === 'tasks' ? ['id', 'project_id', 'title'] : ['id', 'name', 'version'];
  const inserting = (creator.insertInto(table) as unknown as Writing).columns(names);
  return returned(inserting.expression(isFragment ? sql`${rows}` : rows), write, table);
}

function filtered(builder: Writing, db: Database, write: Update | Delete, hidden: Hidden): Writing {
  const { table, others, isMatched, where, isOr } = write;
  const target = textOf([{ from: table, via: 'schema', join: 'innerJoin', on: ['id', 'id'] }], hidden, 'w');
  const text = others.length > 0 ? textOf(others, hidden, 'o') : target;
  const conditions: unknown[] = where.map((item) => conditionOf(db, item, hidden, text));
  if (others.length > 0 && isMatched) conditions.push(sql`${target(0, 'id')} = ${text(0, 'id')}`);
  return conditions.length > 0 ? builder.where((eb) => joined(eb, conditions, isOr)) : builder;
}

/** The first of the other tables stands in `from` or `using`; the rest is joined to it. */
function withOthers(
  builder: Writing,
  clause: 'from' | 'using',
  db: Database,
  others: readonly Source[],
  hidden: Hidden,
): Writing {
  const [first] = others;
  if (!first) return builder;
  const reading = builder[clause](reference(db, first, hidden, 'o0'));
  return joinSources(reading, db, others, 1, hidden, textOf(others, hidden, 'o'), 'o');
}

function update(creator: Database, db: Database, write: Update, hidden: Hidden): Statement {
  const { table, others, to } = write;
  const { number } = columns[table];
  const value =
    to === 'a constant'
      ? 77
      : to === 'itself'
        ? sql`w0.${sql.ref(number)} + 1`
        : sql`(select count(*)::int from ${select(db, to, hidden)} as y)`;
  const updating = (creator.updateTable(`${table} as w0`) as unknown as Writing).set({ [number]: value });
  const reading = withOthers(updating, 'from', db, others, hidden);
  return returned(filtered(reading, db, write, hidden), write, 'w0');
}

function remove(creator: Database, db: Database, write: Delete, hidden: Hidden): Statement {
  const { table, others } = write;
  const deleting = creator.deleteFrom(`${table} as w0`) as unknown as Writing;
  const reading = withOthers(deleting, 'using', db, others, hidden);
  return returned(filtered(reading, db, write, hidden), write, 'w0');
}

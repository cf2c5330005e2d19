import { sql } from 'kysely';
import { tenantDatabase } from '../../shared/database/index.ts';
import type { NewTask, TaskChanges, TaskPath, TasksQuery } from './schema.ts';

const columns = [
  'id',
  'project_id as projectId',
  'title',
  'status',
  'assignee',
  'due_on as dueOn',
  'estimate_minutes as estimateMinutes',
  'version',
  'created_at as createdAt',
  'updated_at as updatedAt',
] as const;

/** A page, and one row more. */
export function selectTasks(projectId: string, { status, assignee, cursor, limit }: TasksQuery) {
  let query = tenantDatabase().selectFrom('tasks').select(columns).where('project_id', '=', projectId);
  if (status !== undefined) query = query.where('status', '=', status);
  if (assignee !== undefined) query = query.where('assignee', '=', assignee);
  if (cursor) query = query.where((eb) => eb(eb.refTuple('created_at', 'id'), '>', eb.tuple(...cursor)));
  return query
    .orderBy('created_at')
    .orderBy('id')
    .limit(limit + 1)
    .execute();
}

export function selectProjectId(projectId: string) {
  return tenantDatabase().selectFrom('projects').select('id').where('id', '=', projectId).executeTakeFirst();
}

export function selectTask({ projectId, taskId }: TaskPath) {
  return tenantDatabase()
    .selectFrom('tasks')
    .select(columns)
    .where('project_id', '=', projectId)
    .where('id', '=', taskId)
    .executeTakeFirst();
}

export function insertTask(projectId: string, id: string, fields: NewTask) {
  return tenantDatabase()
    .insertInto('tasks')
    .values({ id, project_id: projectId, ...toRow(fields), title: fields.title })
    .returning(columns)
    .executeTakeFirstOrThrow();
}

export function updateTask({ projectId, taskId }: TaskPath, { version, ...changes }: TaskChanges) {
  let query = tenantDatabase()
    .updateTable('tasks')
    .set({ ...toRow(changes), version: sql`version + 1`, updated_at: sql`now()` })
    .where('project_id', '=', projectId)
    .where('id', '=', taskId);
  if (version !== undefined) query = query.where('version', '=', version);
  return query.returning(columns).executeTakeFirst();
}

export function deleteTask({ projectId, taskId }: TaskPath) {
  return tenantDatabase()
    .deleteFrom('tasks')
    .where('project_id', '=', projectId)
    .where('id', '=', taskId)
    .returning('id')
    .executeTakeFirst();
}

/** A field that is left out is undefined, and Kysely leaves out what is undefined. */
function toRow({ dueOn, estimateMinutes, ...fields }: Omit<NewTask, 'title'>) {
  return { ...fields, due_on: dueOn, estimate_minutes: estimateMinutes };
}

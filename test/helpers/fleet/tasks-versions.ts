import { type RawBuilder, sql } from 'kysely';
import { tasksApi } from '../../../functions/tasks/schema.ts';
import { type Tables, tenantDatabase } from '../../../shared/database/index.ts';
import { toPage, uuidv7 } from '../../../shared/http/index.ts';
import { type ApiHandler, tenantApi } from '../../../shared/middleware/index.ts';

type Task = Tables['tasks'];
/** The table as some placements have it: they have one of the two columns, or both. */
type NextTables = Omit<Tables, 'tasks'> & { readonly tasks: Task & { readonly owner: Task['assignee'] } };
type Column = 'assignee' | 'owner';

const routes = {
  list: 'GET /projects/{projectId}/tasks',
  create: 'POST /projects/{projectId}/tasks',
  change: 'PATCH /projects/{projectId}/tasks/{taskId}',
} as const;

/**
 * The tasks function of a later version: the same API for clients, with another column behind its field `assignee`.
 *
 * @param read what it reads
 * @param written the column that it writes, and no other one
 */
function tasksFunction(read: RawBuilder<string | null>, written: Column): ApiHandler {
  const database = () => tenantDatabase().withTables<NextTables>();
  const columns = [
    'id',
    'project_id as projectId',
    'title',
    'status',
    read.as('assignee'),
    'due_on as dueOn',
    'estimate_minutes as estimateMinutes',
    'version',
    'created_at as createdAt',
    'updated_at as updatedAt',
  ] as const;
  const { [routes.list]: list, [routes.create]: create, [routes.change]: change } = tasksApi.routes;
  return tenantApi(
    { ...tasksApi, routes: { [routes.list]: list, [routes.create]: create, [routes.change]: change } },
    {
      [routes.list]: async ({ path, query }) =>
        toPage(
          await database()
            .selectFrom('tasks')
            .select(columns)
            .where('project_id', '=', path.projectId)
            .orderBy('created_at')
            .orderBy('id')
            .limit(query.limit + 1)
            .execute(),
          query,
        ),
      [routes.create]: ({ path, body: { title, assignee } }) =>
        database()
          .insertInto('tasks')
          .values({ id: uuidv7(), project_id: path.projectId, title, [written]: assignee })
          .returning(columns)
          .executeTakeFirstOrThrow(),
      [routes.change]: ({ path, body: { assignee } }) =>
        database()
          .updateTable('tasks')
          .set({ [written]: assignee, version: sql`version + 1` })
          .where('project_id', '=', path.projectId)
          .where('id', '=', path.taskId)
          .returning(columns)
          .executeTakeFirstOrThrow(),
    },
  );
}

/** Deployed with the migration: reads the new column where there is one with a value, and writes the old one. */
export const nextTasks = tasksFunction(sql`coalesce(to_jsonb(tasks) ->> 'owner', assignee)`, 'assignee');

/** Deployed when the fleet is done: knows nothing of the old column any more. */
export const lastTasks = tasksFunction(sql`owner`, 'owner');

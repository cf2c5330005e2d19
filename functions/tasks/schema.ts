import * as z from 'zod';
import {
  calendarDate,
  changesOf,
  describeApi,
  id,
  pageOf,
  pageQuery,
  text,
  timestamp,
  version,
} from '../../shared/http/index.ts';

const status = z.enum(['open', 'doing', 'done']);
const estimateMinutes = z.int32().min(0).meta({ description: 'Expected effort in minutes.' });

const task = z
  .object({
    id,
    projectId: id,
    title: z.string(),
    status,
    assignee: z.string().nullable(),
    dueOn: z.iso.date().nullable(),
    estimateMinutes: estimateMinutes.nullable(),
    version,
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .meta({ id: 'Task' });
export type Task = z.output<typeof task>;

const newTask = z.strictObject({
  title: text(1, 500),
  status: status.optional().meta({ description: '`open` unless given.' }),
  assignee: text(1, 200).nullable().optional(),
  dueOn: calendarDate.nullable().optional(),
  estimateMinutes: estimateMinutes.nullable().optional(),
});
export type NewTask = z.output<typeof newTask>;

const taskChanges = changesOf(newTask);
export type TaskChanges = z.output<typeof taskChanges>;

const tasksQuery = z.strictObject({
  ...pageQuery,
  status: status.optional(),
  assignee: text(1, 200).optional(),
});
export type TasksQuery = z.output<typeof tasksQuery>;

const projectPath = z.object({ projectId: id });
const taskPath = z.object({ projectId: id, taskId: id });
/** Names one task. A task is found only under its own project. */
export type TaskPath = z.output<typeof taskPath>;

export const tasksApi = describeApi('tasks', {
  'GET /projects/{projectId}/tasks': {
    summary: 'List the tasks of a project, oldest first',
    path: projectPath,
    query: tasksQuery,
    response: pageOf(task),
    errors: ['not-found'],
  },
  'POST /projects/{projectId}/tasks': {
    summary: 'Create a task in a project',
    path: projectPath,
    body: newTask,
    status: 201,
    response: task,
    idempotent: true,
    errors: ['not-found'],
  },
  'GET /projects/{projectId}/tasks/{taskId}': {
    summary: 'Get a task',
    path: taskPath,
    response: task,
    errors: ['not-found'],
  },
  'PATCH /projects/{projectId}/tasks/{taskId}': {
    summary: 'Change a task; fields that are left out stay as they are',
    path: taskPath,
    body: taskChanges,
    response: task,
    errors: ['not-found', 'version-conflict'],
  },
  'DELETE /projects/{projectId}/tasks/{taskId}': {
    summary: 'Delete a task',
    path: taskPath,
    status: 204,
    errors: ['not-found'],
  },
});

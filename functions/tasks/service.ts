import { AppError } from '../../shared/errors/index.ts';
import { toPage, uuidv7 } from '../../shared/http/index.ts';
import * as queries from './queries.ts';
import type { NewTask, Task, TaskChanges, TaskPath, TasksQuery } from './schema.ts';

/** @throws AppError not-found for a project that is not there, or not this tenant's */
export async function listTasks(projectId: string, query: TasksQuery) {
  const rows = await queries.selectTasks(projectId, query);
  // Only an empty page leaves open whether there is such a project; the usual list costs one query.
  if (rows.length === 0 && !(await queries.selectProjectId(projectId))) throw projectNotFound(projectId);
  return toPage(rows, query);
}

/** @throws AppError not-found for a project that is not there, or not this tenant's */
export async function createTask(projectId: string, fields: NewTask): Promise<Task> {
  try {
    return await queries.insertTask(projectId, uuidv7(), fields);
  } catch (error) {
    // The foreign key's answer: asking for the project beforehand would cost a query, and could be wrong by the time of the insert.
    if (error instanceof AppError && error.code === 'reference-not-found') throw projectNotFound(projectId);
    throw error;
  }
}

/** @throws AppError not-found */
export async function getTask(path: TaskPath): Promise<Task> {
  const task = await queries.selectTask(path);
  if (!task) throw taskNotFound(path);
  return task;
}

/** @throws AppError not-found, or version-conflict when the task has changed since the version that `changes` names */
export async function updateTask(path: TaskPath, changes: TaskChanges): Promise<Task> {
  const updated = await queries.updateTask(path, changes);
  if (updated) return updated;
  const { id, version } = await getTask(path);
  throw new AppError(
    'version-conflict',
    `The task ${id} is at version ${version}. Read it again and repeat the change.`,
  );
}

/** @throws AppError not-found */
export async function deleteTask(path: TaskPath): Promise<undefined> {
  if (!(await queries.deleteTask(path))) throw taskNotFound(path);
}

function projectNotFound(projectId: string): AppError {
  return new AppError('not-found', `There is no project ${projectId}.`);
}

function taskNotFound({ projectId, taskId }: TaskPath): AppError {
  return new AppError('not-found', `There is no task ${taskId} in the project ${projectId}.`);
}

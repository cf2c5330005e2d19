import { AppError } from '../../shared/errors/index.ts';
import { toPage, uuidv7 } from '../../shared/http/index.ts';
import * as queries from './queries.ts';
import type { NewProject, Project, ProjectChanges, ProjectsQuery } from './schema.ts';

export async function listProjects(query: ProjectsQuery) {
  return toPage(await queries.selectProjects(query), query);
}

export async function createProject(fields: NewProject): Promise<Project> {
  return await queries.insertProject(uuidv7(), fields);
}

/** @throws AppError not-found, also for a project of another tenant: to this one it does not exist */
export async function getProject(id: string): Promise<Project> {
  const project = await queries.selectProject(id);
  if (!project) throw notFound(id);
  return project;
}

/** @throws AppError not-found, or version-conflict when the project has changed since the version that `changes` names */
export async function updateProject(id: string, changes: ProjectChanges): Promise<Project> {
  const updated = await queries.updateProject(id, changes);
  if (updated) return updated;
  const { version } = await getProject(id);
  throw new AppError(
    'version-conflict',
    `The project ${id} is at version ${version}. Read it again and repeat the change.`,
  );
}

/** @throws AppError not-found */
export async function deleteProject(id: string): Promise<undefined> {
  if (!(await queries.deleteProject(id))) throw notFound(id);
}

function notFound(id: string): AppError {
  return new AppError('not-found', `There is no project ${id}.`);
}

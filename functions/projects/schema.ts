import * as z from 'zod';
import {
  changesOf,
  describeApi,
  flag,
  id,
  pageOf,
  pageQuery,
  text,
  timestamp,
  version,
} from '../../shared/http/index.ts';

const project = z
  .object({
    id,
    name: z.string(),
    description: z.string().nullable(),
    archived: z.boolean(),
    version,
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .meta({ id: 'Project' });
export type Project = z.output<typeof project>;

const newProject = z.strictObject({
  name: text(1, 200).meta({ description: 'Unique among the projects of the tenant.' }),
  description: text(0, 4000).nullable().optional(),
});
export type NewProject = z.output<typeof newProject>;

const projectChanges = changesOf(newProject.extend({ archived: z.boolean() }));
export type ProjectChanges = z.output<typeof projectChanges>;

const projectsQuery = z.strictObject({ ...pageQuery, archived: flag.optional() });
export type ProjectsQuery = z.output<typeof projectsQuery>;

const path = z.object({ projectId: id });

export const projectsApi = describeApi('projects', {
  'GET /projects': {
    summary: 'List projects, oldest first',
    query: projectsQuery,
    response: pageOf(project),
    cached: { as: 'project-pages', seconds: 60 },
  },
  'POST /projects': {
    summary: 'Create a project',
    body: newProject,
    status: 201,
    response: project,
    idempotent: true,
    invalidates: ['project-pages'],
    errors: ['conflict'],
  },
  'GET /projects/{projectId}': {
    summary: 'Get a project',
    path,
    response: project,
    errors: ['not-found'],
  },
  'PATCH /projects/{projectId}': {
    summary: 'Change a project; fields that are left out stay as they are',
    path,
    body: projectChanges,
    response: project,
    invalidates: ['project-pages'],
    errors: ['not-found', 'conflict', 'version-conflict'],
  },
  'DELETE /projects/{projectId}': {
    summary: 'Delete a project with its tasks',
    path,
    status: 204,
    invalidates: ['project-pages'],
    errors: ['not-found'],
  },
});

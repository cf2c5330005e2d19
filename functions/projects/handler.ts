import { tenantApi } from '../../shared/middleware/index.ts';
import { projectsApi } from './schema.ts';
import { createProject, deleteProject, getProject, listProjects, updateProject } from './service.ts';

export const handler = tenantApi(projectsApi, {
  'GET /projects': ({ query }) => listProjects(query),
  'POST /projects': ({ body }) => createProject(body),
  'GET /projects/{projectId}': ({ path }) => getProject(path.projectId),
  'PATCH /projects/{projectId}': ({ path, body }) => updateProject(path.projectId, body),
  'DELETE /projects/{projectId}': ({ path }) => deleteProject(path.projectId),
});

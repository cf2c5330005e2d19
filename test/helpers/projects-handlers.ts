import type { projectsApi } from '../../functions/projects/schema.ts';
import type { Handlers } from '../../shared/http/index.ts';

/** What the handlers of a test answer. */
export const project = {
  id: '018f6e3c-0000-7000-8000-000000000001',
  name: 'a',
  description: null,
  archived: false,
  version: 1,
  createdAt: '',
  updatedAt: '',
};

/** Handlers without a database, for tests of what stands around them. */
export const projectsHandlers: Handlers<(typeof projectsApi)['routes']> = {
  'GET /projects': () => ({ items: [project], nextCursor: null }),
  'POST /projects': ({ body }) => ({ ...project, name: body.name }),
  'GET /projects/{projectId}': ({ path }) => ({ ...project, id: path.projectId }),
  'PATCH /projects/{projectId}': () => project,
  'DELETE /projects/{projectId}': () => undefined,
};

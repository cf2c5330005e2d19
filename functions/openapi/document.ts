import type { ApiDescription } from '../../shared/http/index.ts';
import { describeInOpenapi } from '../../shared/openapi/index.ts';
import { projectsApi } from '../projects/schema.ts';
import { tasksApi } from '../tasks/schema.ts';
import { openapiApi } from './schema.ts';

/** Every described API. A new service's description is added here. */
export const describedApis: readonly ApiDescription[] = [projectsApi, tasksApi, openapiApi];

/** The document of the application plane. */
export function openapiDocument() {
  return describeInOpenapi({
    title: 'Tenantry',
    description: 'Every request acts for the one tenant that its token names.',
    apis: describedApis,
  });
}

/** `METHOD /path`, with path parameters in braces, as API Gateway spells a resource. */
export type Route = `${'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'} /${string}`;

/**
 * Application services and the routes that each answers: the one place where a new service is announced.
 * `functions/<service>/handler.ts` holds its code; lib makes a function and the methods from this table.
 */
export const services = {
  projects: [
    'GET /projects',
    'POST /projects',
    'GET /projects/{projectId}',
    'PATCH /projects/{projectId}',
    'DELETE /projects/{projectId}',
  ],
  tasks: [
    'GET /projects/{projectId}/tasks',
    'POST /projects/{projectId}/tasks',
    'GET /projects/{projectId}/tasks/{taskId}',
    'PATCH /projects/{projectId}/tasks/{taskId}',
    'DELETE /projects/{projectId}/tasks/{taskId}',
  ],
} as const satisfies Record<string, readonly Route[]>;

export type ServiceName = keyof typeof services;

/** Answered without a token: no tenant, no data. */
export const publicServices = { openapi: ['GET /openapi.json'] } as const satisfies Record<string, readonly Route[]>;

/** Services of the control plane, an API of its own, and the routes that each answers. Operators alone may ask. */
export const controlServices = {
  'control-plane': [
    'GET /tenants',
    'POST /tenants',
    'GET /placement',
    'GET /tenants/{tenantId}',
    'POST /tenants/{tenantId}/change-plan',
    'POST /tenants/{tenantId}/change-limits',
    'POST /tenants/{tenantId}/rename',
    'POST /tenants/{tenantId}/suspend',
    'POST /tenants/{tenantId}/activate',
    'POST /tenants/{tenantId}/export',
    'POST /tenants/{tenantId}/offboard',
    'GET /operations',
    'GET /operations/{operationId}',
    'GET /migrations',
    'POST /migrations',
    'GET /migrations/{runId}',
    'POST /tenants/{tenantId}/impersonate',
    'DELETE /tenants/{tenantId}/impersonations/{impersonationId}',
    'GET /audit-log',
    'GET /quotas',
    'GET /openapi.json',
  ],
  support: ['POST /tenants/{tenantId}/statements'],
} as const satisfies Record<string, readonly Route[]>;

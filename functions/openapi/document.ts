import * as z from 'zod';
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponseObject,
  type ZodOpenApiResponsesObject,
} from 'zod-openapi';
import { type ErrorCode, errorCatalogue } from '../../shared/errors/index.ts';
import {
  type ApiDescription,
  idempotencyHeader,
  idempotencyKeySchema,
  type RouteDescription,
} from '../../shared/http/index.ts';
import { projectsApi } from '../projects/schema.ts';
import { tasksApi } from '../tasks/schema.ts';
import { problemHeaders, successHeaders } from './response-headers.ts';
import { openapiApi } from './schema.ts';

/** Every described API. A new service's description is added here. */
export const describedApis: readonly ApiDescription[] = [projectsApi, tasksApi, openapiApi];

/** What any route may answer with, for a token, a tenant or a limit; and what depends on what the route takes. */
const anyRoute: readonly ErrorCode[] = ['internal', 'gateway-timeout'];
const tenantRoute: readonly ErrorCode[] = [
  'unauthorized',
  'token-expired',
  'tenant-claim-missing',
  'tenant-unknown',
  'tenant-suspended',
  'tenant-mismatch',
  'api-key-invalid',
  'rate-limited',
  'quota-exceeded',
  'tenant-moving',
  'database-unavailable',
  'statement-timeout',
];
const bodyRoute: readonly ErrorCode[] = ['body-not-json', 'body-too-large', 'unsupported-media-type'];
const idempotentRoute: readonly ErrorCode[] = ['idempotency-key-in-use', 'idempotency-key-reused'];

const problem = z
  .object({
    type: z.string().meta({ examples: ['urn:tenantry:error:not-found'] }),
    title: z.string(),
    status: z.int(),
    code: z.enum(Object.keys(errorCatalogue) as [ErrorCode, ...ErrorCode[]]),
    detail: z.string().optional().meta({ description: 'What happened and what to do. Left out from 500 upwards.' }),
    instance: z.string().meta({ description: 'Id of the request.' }),
    errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
  })
  .meta({ id: 'Problem', description: 'Problem details, RFC 9457.' });

/** The OpenAPI 3.1 document of the application plane, made of the schemas that validate requests. */
export function openapiDocument() {
  const paths: ZodOpenApiPathsObject = {};
  for (const api of describedApis) {
    for (const [route, description] of Object.entries(api.routes)) {
      if (!description) continue;
      const [method, path] = route.split(' ') as [string, string];
      paths[path] = { ...paths[path], [method.toLowerCase()]: operation(api, route, description) };
    }
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Tenantry',
      version: '1.0.0',
      description: 'Every request acts for the one tenant that its token names.',
    },
    paths,
    security: [{ bearer: [] }],
    components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
  });
}

function operation(api: ApiDescription, route: string, description: RouteDescription): ZodOpenApiOperationObject {
  const { summary, path, query, body, idempotent } = description;
  return {
    operationId: operationId(route),
    summary,
    tags: [api.service],
    ...(!api.tenant && { security: [] }),
    requestParams: {
      ...(path && { path }),
      ...(query && { query }),
      ...(idempotent && { header: z.object({ [idempotencyHeader]: idempotencyKeySchema.optional() }) }),
    },
    ...(body && { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: responses(api, description),
  };
}

/** `GET /projects/{projectId}/tasks` becomes `getProjectsByProjectIdTasks`. */
function operationId(route: string): string {
  const words = route.replace(/\{(\w+)\}/g, 'by/$1').split(/[ /.]+/);
  return words
    .map((word, at) => (at === 0 ? word.toLowerCase() : word.charAt(0).toUpperCase() + word.slice(1)))
    .join('');
}

function responses(api: ApiDescription, description: RouteDescription): ZodOpenApiResponsesObject {
  const { status = 200, response, path, query, body, idempotent, errors = [] } = description;
  const codes = [
    ...(api.tenant ? tenantRoute : []),
    ...(path || query || body ? (['validation-failed'] as const) : []),
    ...(body ? bodyRoute : []),
    ...(idempotent ? idempotentRoute : []),
    ...errors,
    ...anyRoute,
  ];
  const success = {
    description: 'Success',
    headers: successHeaders(api, description),
    ...(response && { content: { 'application/json': { schema: response } } }),
  };
  return { [status]: success, ...problemResponses(api, codes) };
}

/** One response a status, which lists the codes that it may carry. */
function problemResponses(api: ApiDescription, codes: readonly ErrorCode[]): ZodOpenApiResponsesObject {
  const described: ZodOpenApiResponsesObject = {};
  for (const status of new Set(codes.map((code) => errorCatalogue[code].status))) {
    const ofStatus = codes.filter((code) => errorCatalogue[code].status === status);
    described[`${status}`] = problemResponse(api, ofStatus);
  }
  return described;
}

const problemComponents = new Map<string, ZodOpenApiResponseObject>();

/** A component of the document, since most routes answer with the same problems. */
function problemResponse(api: ApiDescription, codes: readonly ErrorCode[]): ZodOpenApiResponseObject {
  const id = [...(api.tenant ? [] : ['public']), ...codes].join('.');
  const component = problemComponents.get(id) ?? {
    id,
    description: codes.map((code) => `\`${code}\`: ${errorCatalogue[code].title}.`).join('\n\n'),
    headers: problemHeaders(api, codes),
    content: { 'application/problem+json': { schema: problem } },
  };
  problemComponents.set(id, component);
  return component;
}

import * as z from 'zod';
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponseObject,
  type ZodOpenApiResponsesObject,
} from 'zod-openapi';
import { type ErrorCode, errorCatalogue } from '../errors/index.ts';
import { type ApiDescription, idempotencyHeader, idempotencyKeySchema, type RouteDescription } from '../http/index.ts';
import { problemHeaders, successHeaders } from './response-headers.ts';

/** What any route may answer with, for a token, a tenant or a limit; and what depends on what the route takes. */
const anyRoute: readonly ErrorCode[] = ['internal', 'gateway-timeout'];
const guardedRoute: readonly ErrorCode[] = ['unauthorized', 'token-expired', 'rate-limited'];
const databaseRoute: readonly ErrorCode[] = ['database-unavailable', 'statement-timeout'];
const tenantRoute: readonly ErrorCode[] = [
  ...guardedRoute,
  'tenant-claim-missing',
  'tenant-unknown',
  'tenant-suspended',
  'tenant-mismatch',
  'api-key-invalid',
  'concurrency-limited',
  'quota-exceeded',
  'tenant-moving',
  ...databaseRoute,
];
const ofAudience: Readonly<Record<ApiDescription['audience'], readonly ErrorCode[]>> = {
  tenant: tenantRoute,
  operator: [...guardedRoute, 'operator-only', ...databaseRoute],
  anyone: [],
};
const bodyRoute: readonly ErrorCode[] = ['body-not-json', 'body-too-large', 'unsupported-media-type'];
/** An operation is answered as it is now, so nobody waits for another attempt's answer. */
const idempotentRoute: Readonly<Record<ApiDescription['audience'], readonly ErrorCode[]>> = {
  tenant: ['idempotency-key-in-use', 'idempotency-key-reused'],
  operator: ['idempotency-key-reused'],
  anyone: [],
};

const idempotencyKey: Readonly<Record<ApiDescription['audience'], z.ZodType<string>>> = {
  tenant: idempotencyKeySchema,
  operator: idempotencyKeySchema.meta({
    description:
      'Marks attempts of one request. A repeated request with the same key gets the same operation, at any time.',
  }),
  anyone: idempotencyKeySchema,
};

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

/** What a document says of itself, and the APIs that it describes. */
export interface DocumentOptions {
  readonly title: string;
  readonly description: string;
  readonly apis: readonly ApiDescription[];
}

/** An OpenAPI 3.1 document, made of the schemas that validate requests. */
export function describeInOpenapi({ title, description, apis }: DocumentOptions): ReturnType<typeof createDocument> {
  const paths: ZodOpenApiPathsObject = {};
  for (const api of apis) {
    for (const [route, described] of Object.entries(api.routes)) {
      if (!described) continue;
      const [method, path] = route.split(' ') as [string, string];
      paths[path] = { ...paths[path], [method.toLowerCase()]: operation(api, route, described) };
    }
  }
  return createDocument({
    openapi: '3.1.0',
    info: { title, version: '1.0.0', description },
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
    ...(api.audience === 'anyone' && { security: [] }),
    requestParams: {
      ...(path && { path }),
      ...(query && { query }),
      ...(idempotent && { header: z.object({ [idempotencyHeader]: idempotencyKey[api.audience].optional() }) }),
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
    ...ofAudience[api.audience],
    ...(path || query || body ? (['validation-failed'] as const) : []),
    ...(body ? bodyRoute : []),
    ...(idempotent ? idempotentRoute[api.audience] : []),
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
  const id = [...(api.audience === 'tenant' ? [] : [api.audience]), ...codes].join('.');
  const component = problemComponents.get(id) ?? {
    id,
    description: codes.map((code) => `\`${code}\`: ${errorCatalogue[code].title}.`).join('\n\n'),
    headers: problemHeaders(api, codes),
    content: { 'application/problem+json': { schema: problem } },
  };
  problemComponents.set(id, component);
  return component;
}

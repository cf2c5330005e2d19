import type { RequestContext } from './context.ts';
import type { ApiDefinition } from './definition.ts';
import type { ApiKey } from './api-keys.ts';
import { isBinaryRequest } from './media-types.ts';
import { type GatewayRequest, headerValues, type MultiValues } from './request.ts';
import type { RouteMatch } from './router.ts';

export interface EventParts {
  readonly api: ApiDefinition;
  readonly request: GatewayRequest;
  readonly route: RouteMatch;
  readonly context: RequestContext;
  /** Port that the client talked to. */
  readonly port: number;
}

/** The event of a Lambda proxy integration (REST API, payload format 1.0). */
export function proxyEvent(parts: EventParts, key: ApiKey | undefined): object {
  const { api, request, context } = parts;
  const isBinary = isBinaryRequest(api, request);
  const text = request.body.length > 0 ? request.body.toString(isBinary ? 'base64' : 'utf8') : null;
  const identity = { ...context.identity, apiKey: key?.value ?? null, ...(key && { apiKeyId: key.id }) };
  return {
    ...requestParts(parts),
    requestContext: {
      ...requestContext(parts, identity),
      ...(context.authorizer && { authorizer: context.authorizer }),
    },
    body: text,
    isBase64Encoded: isBinary && text !== null,
  };
}

/** The event of a REQUEST authorizer: the request without its body. */
export function authorizerEvent(parts: EventParts, methodArn: string): object {
  return {
    type: 'REQUEST',
    methodArn,
    ...requestParts(parts),
    requestContext: requestContext(parts, { ...parts.context.identity, apiKey: null }),
  };
}

function requestParts({ api, request, route, context, port }: EventParts): object {
  const headers = forwardedHeaders(request, context, port);
  const query = request.query ?? {};
  return {
    resource: route.method.resourcePath,
    path: request.path,
    httpMethod: request.method,
    headers: lastValues(headers),
    multiValueHeaders: headers,
    queryStringParameters: Object.keys(query).length > 0 ? lastValues(query) : null,
    multiValueQueryStringParameters: Object.keys(query).length > 0 ? query : null,
    pathParameters: route.pathParameters,
    stageVariables: api.stageVariables,
  };
}

function requestContext({ api, route, context }: EventParts, identity: object): object {
  return {
    resourceId: route.method.resourceId,
    resourcePath: route.method.resourcePath,
    httpMethod: context.httpMethod,
    extendedRequestId: context.extendedRequestId,
    requestTime: context.requestTime,
    path: context.path,
    accountId: api.account,
    protocol: context.protocol,
    stage: api.stage,
    domainPrefix: context.domainPrefix,
    requestTimeEpoch: context.requestTimeEpoch,
    requestId: context.requestId,
    identity,
    domainName: context.domainName,
    deploymentId: 'local',
    apiId: api.id,
  };
}

/** Hop-by-hop headers end at API Gateway. */
const notPassedOn = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

function forwardedHeaders({ headers, sourceIp }: GatewayRequest, context: RequestContext, port: number): MultiValues {
  const passedOn = Object.entries(headers).filter(([name]) => !notPassedOn.has(name.toLowerCase()));
  const set = {
    'X-Amzn-Trace-Id': [context.xrayTraceId],
    'X-Forwarded-Port': [String(port)],
    'X-Forwarded-Proto': ['http'],
  };
  const replaced = new Set([...Object.keys(set), 'X-Forwarded-For'].map((name) => name.toLowerCase()));
  return {
    ...Object.fromEntries(passedOn.filter(([name]) => !replaced.has(name.toLowerCase()))),
    'X-Forwarded-For': [[...headerValues(headers, 'x-forwarded-for'), sourceIp].join(', ')],
    ...set,
  };
}

function lastValues(values: MultiValues): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, all]) => [name, all.at(-1) ?? '']));
}

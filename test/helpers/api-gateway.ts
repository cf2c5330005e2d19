import type { APIGatewayProxyEvent, Context } from 'aws-lambda';

export interface EventOptions {
  /** `METHOD /resource/{parameter}` */
  readonly route: string;
  readonly path?: Record<string, string>;
  readonly query?: Record<string, string | string[]>;
  readonly headers?: Record<string, string | string[]>;
  /** Sent as JSON; text is sent as it is. */
  readonly body?: unknown;
  readonly isBase64Encoded?: boolean;
  /** Context of the authorizer. */
  readonly authorizer?: Record<string, string>;
  readonly requestId?: string;
  readonly domainName?: string;
}

/** A context as the authorizer of this project makes it. */
export function authorizerContext(tenantId = 'acme', overrides: Record<string, string> = {}): Record<string, string> {
  return {
    tenantId,
    plan: 'pro',
    placement: JSON.stringify({ model: 'pool', cluster: 'main', database: 'tenantry', schema: 'pool' }),
    userId: `user-of-${tenantId}`,
    roles: 'admin member',
    capability: `v1.k1.${tenantId}.4102444800.mac`,
    ...overrides,
  };
}

/** An event as API Gateway (REST, proxy integration) sends it. */
export function apiEvent(options: EventOptions): APIGatewayProxyEvent {
  const [httpMethod = '', resource = ''] = options.route.split(' ');
  const { body, headers = {}, query = {}, path = {}, authorizer = authorizerContext() } = options;
  const allHeaders = { ...(body !== undefined && { 'Content-Type': 'application/json' }), ...headers };
  const itsPath = resource.replace(/\{(\w+)\}/g, (_, name: string) => path[name] ?? '');
  const event: Omit<APIGatewayProxyEvent, 'requestContext'> & { requestContext: unknown } = {
    resource,
    httpMethod,
    path: itsPath,
    pathParameters: Object.keys(path).length > 0 ? path : null,
    headers: Object.fromEntries(Object.entries(allHeaders).map(([name, value]) => [name, [value].flat().at(-1)])),
    multiValueHeaders: Object.fromEntries(Object.entries(allHeaders).map(([name, value]) => [name, [value].flat()])),
    queryStringParameters: Object.fromEntries(
      Object.entries(query).map(([name, value]) => [name, [value].flat().at(-1)]),
    ),
    multiValueQueryStringParameters: Object.fromEntries(
      Object.entries(query).map(([name, value]) => [name, [value].flat()]),
    ),
    stageVariables: null,
    body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
    isBase64Encoded: options.isBase64Encoded ?? false,
    requestContext: {
      // As a client may choose it.
      requestId: 'chosen-by-the-client',
      extendedRequestId: options.requestId ?? 'request-1',
      domainName: options.domainName ?? 'api.execute-api.test',
      authorizer,
      httpMethod,
      resourcePath: resource,
      path: itsPath,
      stage: 'test',
    },
  };
  return event as APIGatewayProxyEvent;
}

/** A Lambda context with `remainingMs` left when it is made. */
export function lambdaContext(remainingMs = 29_000): Context {
  const endsAt = Date.now() + remainingMs;
  const context: Omit<Context, 'done' | 'fail' | 'succeed'> = {
    awsRequestId: 'invocation-1',
    functionName: 'test',
    functionVersion: '1',
    invokedFunctionArn: 'arn:aws:lambda:eu-central-1:000000000000:function:test',
    memoryLimitInMB: '512',
    logGroupName: 'test',
    logStreamName: 'test',
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => endsAt - Date.now(),
  };
  // Without the callbacks of Node.js 8, which no handler here may use.
  return context as Context;
}

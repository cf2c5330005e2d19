import { randomBytes, randomUUID } from 'node:crypto';
import { membersOf } from '../untyped.ts';
import type { ApiDefinition, MethodDefinition } from './definition.ts';
import { type GatewayRequest, headerValues } from './request.ts';

/** The variables of one request that templates read as `$context.…`; filled in while the request goes through the gateway. */
export interface RequestContext {
  readonly requestId: string;
  readonly extendedRequestId: string;
  readonly accountId: string;
  readonly apiId: string;
  readonly stage: string;
  readonly httpMethod: string;
  readonly path: string;
  readonly protocol: string;
  readonly domainName: string;
  readonly domainPrefix: string;
  readonly requestTime: string;
  readonly requestTimeEpoch: number;
  readonly xrayTraceId: string;
  readonly identity: Record<string, string | null>;
  resourceId?: string;
  resourcePath?: string;
  authorizer?: Readonly<Record<string, string | number>>;
  error?: { message: string; messageString: string; responseType: string; validationErrorString?: string };
  integration?: { latency: number; status: number | string };
  integrationLatency?: number;
  status?: number;
  responseLength?: number;
  responseLatency?: number;
}

/** What is known of a request before its route. */
export function startContext(api: ApiDefinition, request: Omit<GatewayRequest, 'body'>): RequestContext {
  const now = new Date();
  const domainName = (headerValues(request.headers, 'host').at(-1) ?? '').replace(/:\d+$/, '');
  return {
    requestId: randomUUID(),
    extendedRequestId: `${randomBytes(9).toString('base64url')}=`,
    accountId: api.account,
    apiId: api.id,
    stage: api.stage,
    httpMethod: request.method,
    path: request.path,
    protocol: request.protocol,
    domainName,
    domainPrefix: domainName.split('.')[0] ?? '',
    requestTime: commonLogTime(now),
    requestTimeEpoch: now.getTime(),
    xrayTraceId: `Root=1-${Math.floor(now.getTime() / 1_000).toString(16)}-${randomBytes(12).toString('hex')}`,
    identity: {
      cognitoIdentityPoolId: null,
      accountId: null,
      cognitoIdentityId: null,
      caller: null,
      sourceIp: request.sourceIp,
      principalOrgId: null,
      accessKey: null,
      cognitoAuthenticationType: null,
      cognitoAuthenticationProvider: null,
      userArn: null,
      userAgent: headerValues(request.headers, 'user-agent').at(-1) ?? null,
      user: null,
    },
  };
}

export function setRoute(context: RequestContext, method: MethodDefinition): void {
  context.resourceId = method.resourceId;
  context.resourcePath = method.resourcePath;
}

/**
 * `template` with every `$context.a.b` replaced by its value, as in gateway responses and access log formats. Values go in as they are:
 * nothing is escaped, on AWS neither.
 *
 * @param missing what stands for a variable without a value: nothing in responses, `-` in access logs
 */
export function substitute(template: string, context: RequestContext, missing: string): string {
  const variable = /\$\{context\.([\w.-]+)\}|\$context\.([\w.-]*\w)/g;
  return template.replaceAll(
    variable,
    (_match, inBraces?: string, bare?: string) => lookUp(context, inBraces ?? bare ?? '') ?? missing,
  );
}

/** Value of a variable such as `authorizer.tenantId`. */
export function lookUp(context: RequestContext, path: string): string | undefined {
  let value: unknown = context;
  for (const name of path.split('.')) {
    value = membersOf(value).get(name);
  }
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

/** As in `09/Apr/2015:12:34:56 +0000`. */
function commonLogTime(time: Date): string {
  const [, day, month, year, clock] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(time.toUTCString()) ?? [];
  return `${day}/${month}/${year}:${clock} +0000`;
}

import { ResponseType, type RestApi } from 'aws-cdk-lib/aws-apigateway';
import { authorizerContextKeys, plans } from '../../shared/contract/index.ts';

/** An answer that API Gateway gives itself, as problem details. `code`, `status` and `title` are the error catalogue's. */
interface GatewayProblem {
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly detail?: string;
  /** Whether `errors` has what API Gateway itself says about the request, of which it does not say where in the request it is. */
  readonly isExplained?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

const context = (key: keyof typeof authorizerContextKeys) => `$context.authorizer.${authorizerContextKeys[key]}`;

const unauthorized: GatewayProblem = {
  code: 'unauthorized',
  status: 401,
  title: 'A valid bearer token is required',
  detail: 'Send a header "Authorization: Bearer <access token>" with a token of a trusted issuer that has not expired.',
  headers: { 'WWW-Authenticate': 'Bearer' },
};
const badSignature: GatewayProblem = {
  code: 'signature-invalid',
  status: 403,
  title: 'The signature of the request is not valid',
  detail:
    'Sign with credentials that are valid now (SigV4, service execute-api, Region of the API), on a machine whose clock is right.',
};
const forbidden: GatewayProblem = { code: 'forbidden', status: 403, title: 'Not allowed' };
const notFound: GatewayProblem = {
  code: 'route-not-found',
  status: 404,
  title: 'No such route or method',
  detail: 'GET /openapi.json lists the routes and methods there are.',
};
const invalid: GatewayProblem = {
  code: 'validation-failed',
  status: 400,
  title: 'The request is not valid',
  detail: 'The request is not what its route takes. GET /openapi.json describes each route.',
  isExplained: true,
};
const internal: GatewayProblem = { code: 'internal', status: 500, title: 'Internal error' };

/** In which the slowest plan has room for one more request. What the gateway answers cannot depend on the plan. */
const secondsPerRequest = Math.ceil(
  Math.max(...Object.values(plans).map(({ requestsPerMinute }) => 60 / requestsPerMinute)),
);

/** What API Gateway answers by itself, by its own name for the case. */
const gatewayProblems: Readonly<Record<string, GatewayProblem>> = {
  UNAUTHORIZED: unauthorized,
  EXPIRED_TOKEN: unauthorized,
  INVALID_SIGNATURE: unauthorized,
  // The authorizer says which of its refusals it is, in texts that are escaped for JSON.
  ACCESS_DENIED: {
    code: context('errorCode'),
    status: 403,
    title: context('errorTitle'),
    detail: context('errorDetail'),
  },
  WAF_FILTERED: forbidden,
  INVALID_API_KEY: { code: 'api-key-invalid', status: 403, title: 'The tenant has no usable API key' },
  THROTTLED: {
    code: 'rate-limited',
    status: 429,
    title: 'Too many requests',
    detail: 'Slow down and send the request again after the seconds that Retry-After names.',
    headers: { 'Retry-After': String(secondsPerRequest) },
  },
  QUOTA_EXCEEDED: {
    code: 'quota-exceeded',
    status: 429,
    title: 'The quota of the plan is used up',
    detail: 'The quota is filled up at the beginning of the month; a larger plan has a larger quota.',
  },
  MISSING_AUTHENTICATION_TOKEN: notFound,
  RESOURCE_NOT_FOUND: notFound,
  REQUEST_TOO_LARGE: {
    code: 'body-too-large',
    status: 413,
    title: 'The body is too large',
    detail: 'A request may have 10 MB at most.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    code: 'unsupported-media-type',
    status: 415,
    title: 'The content type is not application/json',
    detail: 'Send JSON, with the header "Content-Type: application/json".',
  },
  BAD_REQUEST_BODY: invalid,
  BAD_REQUEST_PARAMETERS: invalid,
  DEFAULT_4XX: invalid,
  INTEGRATION_TIMEOUT: { code: 'gateway-timeout', status: 504, title: 'The request took too long' },
  INTEGRATION_FAILURE: { code: 'bad-gateway', status: 502, title: 'The function gave no usable answer' },
  AUTHORIZER_FAILURE: internal,
  AUTHORIZER_CONFIGURATION_ERROR: internal,
  API_CONFIGURATION_ERROR: internal,
  DEFAULT_5XX: internal,
};

/** Where API Gateway verifies signatures in place of tokens. */
const signedProblems: Readonly<Record<string, GatewayProblem>> = {
  // It says the same about a route that does not exist.
  MISSING_AUTHENTICATION_TOKEN: {
    code: 'signature-missing',
    status: 403,
    title: 'A request signed with AWS credentials is required',
    detail:
      'Sign the request with AWS credentials (SigV4, service execute-api), and ask for a route that there is: GET /openapi.json lists them.',
  },
  UNAUTHORIZED: badSignature,
  EXPIRED_TOKEN: badSignature,
  INVALID_SIGNATURE: badSignature,
  ACCESS_DENIED: {
    ...forbidden,
    detail:
      'The AWS principal may not do this. Grant it execute-api:Invoke on this API, for example by the operators’ policy.',
  },
};

/**
 * Makes every answer of API Gateway itself problem details, like those of the functions.
 *
 * @param options.allowedOrigins for browsers, that otherwise could not read the answer and its headers
 * @param options.isSigned whether callers sign requests, in place of showing a token
 */
export function addGatewayResponses(
  restApi: RestApi,
  { allowedOrigins, isSigned }: { readonly allowedOrigins: readonly string[]; readonly isSigned: boolean },
): void {
  const allowedOrigin = commonOrigin(allowedOrigins);
  for (const [type, problem] of Object.entries({ ...gatewayProblems, ...(isSigned && signedProblems) })) {
    const headers = {
      ...problem.headers,
      ...(allowedOrigin !== undefined && {
        'Access-Control-Allow-Origin': allowedOrigin,
        'Access-Control-Expose-Headers': '*',
      }),
      'Content-Type': 'application/problem+json',
    };
    restApi.addGatewayResponse(type, {
      type: ResponseType.of(type),
      statusCode: String(problem.status),
      responseHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, `'${value}'`])),
      templates: { 'application/json': problemTemplate(problem) },
    });
  }
}

const message = '$context.error.messageString';

/** API Gateway replaces `$context` variables in it, and does nothing else. */
function problemTemplate({ code, title, status, detail, isExplained }: GatewayProblem): string {
  const template = JSON.stringify({
    type: `urn:tenantry:error:${code}`,
    title,
    status,
    code,
    ...(detail !== undefined && { detail }),
    instance: '$context.extendedRequestId',
    ...(isExplained && { errors: [{ pointer: '#', detail: message }] }),
  });
  // The one variable that comes with its quotes, and escaped.
  return template.replace(`"${message}"`, message);
}

/** A gateway response cannot choose among origins. Its body tells nothing of a tenant, so any origin may read it. */
function commonOrigin(allowedOrigins: readonly string[]): string | undefined {
  return allowedOrigins.length > 1 ? '*' : allowedOrigins[0];
}

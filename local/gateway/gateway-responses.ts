import { type RequestContext, lookUp, substitute } from './context.ts';
import type { ApiDefinition, GatewayResponseDefinition } from './definition.ts';
import { type GatewayRequest, headerValues } from './request.ts';

/** What goes back to the client. Header names may repeat by having several values. */
export interface GatewayReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly body: Buffer;
}

/** The gateway's own refusals: status, `x-amzn-ErrorType` and message as API Gateway has them without a customization. */
const responseTypes = {
  ACCESS_DENIED: [403, 'AccessDeniedException', 'User is not authorized to access this resource'],
  API_CONFIGURATION_ERROR: [500, 'InternalServerErrorException', 'Internal server error'],
  AUTHORIZER_CONFIGURATION_ERROR: [500, 'AuthorizerConfigurationException', 'Internal server error'],
  AUTHORIZER_FAILURE: [500, 'AuthorizerFailureException', 'Internal server error'],
  BAD_REQUEST_BODY: [400, 'BadRequestException', 'Invalid request body'],
  BAD_REQUEST_PARAMETERS: [400, 'BadRequestException', 'Invalid request parameters'],
  INTEGRATION_FAILURE: [502, 'InternalServerErrorException', 'Internal server error'],
  INTEGRATION_TIMEOUT: [504, 'InternalServerErrorException', 'Endpoint request timed out'],
  INVALID_API_KEY: [403, 'ForbiddenException', 'Forbidden'],
  INVALID_SIGNATURE: [403, 'InvalidSignatureException', 'The signature that was calculated here is another one'],
  MISSING_AUTHENTICATION_TOKEN: [403, 'MissingAuthenticationTokenException', 'Missing Authentication Token'],
  QUOTA_EXCEEDED: [429, 'LimitExceededException', 'Limit Exceeded'],
  REQUEST_TOO_LARGE: [413, 'RequestTooLargeException', 'Request Too Long'],
  THROTTLED: [429, 'TooManyRequestsException', 'Too Many Requests'],
  UNAUTHORIZED: [401, 'UnauthorizedException', 'Unauthorized'],
} as const satisfies Record<string, readonly [number, string, string]>;

export type ResponseType = keyof typeof responseTypes;

/** Ends a request with one of the gateway's own responses. */
export class GatewayRefusal extends Error {
  override readonly name = 'GatewayRefusal';
  readonly responseType: ResponseType;

  /** @param message replaces API Gateway's general one */
  constructor(responseType: ResponseType, message: string = responseTypes[responseType][2]) {
    super(message);
    this.responseType = responseType;
  }
}

/** The answer to a refused request: what the template says for the refusal's type, or for all of its class, or API Gateway's own. */
export function refusalReply(
  api: ApiDefinition,
  context: RequestContext,
  request: Pick<GatewayRequest, 'headers'>,
  refusal: GatewayRefusal,
): GatewayReply {
  const { responseType, message } = refusal;
  const [usualStatus, errorType] = responseTypes[responseType];
  const fallback = usualStatus < 500 ? 'DEFAULT_4XX' : 'DEFAULT_5XX';
  const definition = api.gatewayResponses.get(responseType) ?? api.gatewayResponses.get(fallback);
  context.error = {
    message,
    messageString: JSON.stringify(message),
    responseType,
    ...(responseType.startsWith('BAD_REQUEST') && { validationErrorString: `[${message}]` }),
  };
  const [contentType, template] = chooseTemplate(definition, request);
  return {
    status: definition?.statusCode ?? usualStatus,
    headers: {
      'Content-Type': [contentType],
      'x-amzn-ErrorType': [errorType],
      ...headersOf(definition, context, request),
    },
    body: Buffer.from(substitute(template, context, '')),
  };
}

const usualTemplate: [string, string] = ['application/json', '{"message":$context.error.messageString}'];

/** The template for a content type that the client accepts, else the first. */
function chooseTemplate(
  definition: GatewayResponseDefinition | undefined,
  request: Pick<GatewayRequest, 'headers'>,
): [string, string] {
  const templates = Object.entries(definition?.templates ?? {});
  const accepted = headerValues(request.headers, 'accept').flatMap((value) => value.split(','));
  const types = accepted.map((type) => type.split(';')[0]?.trim());
  return templates.find(([type]) => types.includes(type)) ?? templates[0] ?? usualTemplate;
}

function headersOf(
  definition: GatewayResponseDefinition | undefined,
  context: RequestContext,
  request: Pick<GatewayRequest, 'headers'>,
): Record<string, string[]> {
  const headers: Record<string, string[]> = {};
  for (const [target, source] of Object.entries(definition?.parameters ?? {})) {
    const name = target.replace('gatewayresponse.header.', '');
    const value = mappedValue(source, context, request);
    if (value !== undefined) headers[name] = [value];
  }
  return headers;
}

/** `'text'`, `context.variable` or `method.request.header.Name`. */
function mappedValue(
  source: string,
  context: RequestContext,
  request: Pick<GatewayRequest, 'headers'>,
): string | undefined {
  const [, text] = /^'(.*)'$/.exec(source) ?? [];
  if (text !== undefined) return text;
  if (source.startsWith('context.')) return lookUp(context, source.slice('context.'.length));
  if (source.startsWith('method.request.header.')) {
    return headerValues(request.headers, source.slice('method.request.header.'.length)).at(-1);
  }
  return undefined;
}

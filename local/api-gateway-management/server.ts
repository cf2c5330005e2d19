import { AwsError } from '../aws/aws-error.ts';
import { type AwsEndpoint, type AwsRequest, startAwsEndpoint } from '../aws/endpoint.ts';
import { parseJson } from '../aws/json.ts';
import { managementError } from './errors.ts';
import { type Call, type Managed, type OperationName, operations } from './operations.ts';
import { awsRates, type ManagementRates, rateLimiter } from './rates.ts';

export interface ApiGatewayManagementOptions extends Managed {
  /** Missing or 0: any free port. */
  readonly port?: number;
  /** Missing: those of AWS. */
  readonly rates?: ManagementRates;
}

const routes: readonly (readonly [OperationName, string, RegExp])[] = [
  ['CreateApiKey', 'POST', /^\/apikeys$/],
  ['GetApiKeys', 'GET', /^\/apikeys$/],
  ['GetApiKey', 'GET', /^\/apikeys\/([^/]+)$/],
  ['DeleteApiKey', 'DELETE', /^\/apikeys\/([^/]+)$/],
  ['GetUsagePlans', 'GET', /^\/usageplans$/],
  ['CreateUsagePlanKey', 'POST', /^\/usageplans\/([^/]+)\/keys$/],
  ['GetUsagePlanKeys', 'GET', /^\/usageplans\/([^/]+)\/keys$/],
  ['DeleteUsagePlanKey', 'DELETE', /^\/usageplans\/([^/]+)\/keys\/([^/]+)$/],
  ['FlushStageAuthorizersCache', 'DELETE', /^\/restapis\/([^/]+)\/stages\/([^/]+)\/cache\/authorizers$/],
];

/**
 * Serves the calls of API Gateway's management API that this project makes, on 127.0.0.1: same protocol, errors and rates, so that
 * the SDK works unchanged. APIs and usage plans are those of the templates and cannot be changed here.
 */
export function startApiGatewayManagement(options: ApiGatewayManagementOptions): Promise<AwsEndpoint> {
  const limit = rateLimiter(options.rates ?? awsRates);
  return startAwsEndpoint({
    port: options.port ?? 0,
    signingName: 'apigateway',
    contentType: 'application/json',
    requestLimitBytes: 1024 * 1024,
    handle: (request) => {
      const { name, call } = route(request);
      limit(name);
      return operations[name](options, call);
    },
    internalError: (cause) => new AwsError('InternalFailure', 500, String(cause)),
  });
}

function route({ method, path, query, body }: AwsRequest): { name: OperationName; call: Call } {
  for (const [name, of, pattern] of routes) {
    const found = method === of ? pattern.exec(path) : null;
    if (found) return { name, call: { ids: found.slice(1).map(decodeURIComponent), query, body: parseBody(body) } };
  }
  throw new AwsError(
    'UnknownOperationException',
    404,
    `${method} ${path} is not supported here. Supported are ${Object.keys(operations).join(', ')}.`,
  );
}

function parseBody(body: string): unknown {
  if (body === '') return undefined;
  try {
    return parseJson(body);
  } catch {
    throw managementError('BadRequestException', 'Invalid JSON input');
  }
}

import type { ApiDefinition, MethodDefinition } from '../../../local/gateway/definition.ts';
import type { GatewayRequest } from '../../../local/gateway/request.ts';

/** A method without any demands, answered by a function called `function`. */
export const method = (route: string, overrides: Partial<MethodDefinition> = {}): MethodDefinition => {
  const [httpMethod = '', resourcePath = ''] = route.split(' ');
  return {
    httpMethod,
    resourcePath,
    resourceId: 'resource',
    authorizerId: undefined,
    requiresSignature: false,
    apiKeyRequired: false,
    requiredParameters: [],
    integration: { Type: 'AWS_PROXY', TimeoutInMillis: 29_000, IntegrationResponses: [] },
    functionArn: 'function',
    ...overrides,
  };
};

export const api = (overrides: Partial<ApiDefinition> = {}): ApiDefinition => ({
  id: 'api',
  name: 'api',
  region: 'eu-central-1',
  account: '111122223333',
  stage: 'test',
  stageVariables: null,
  accessLogFormat: undefined,
  apiKeySource: 'AUTHORIZER',
  binaryMediaTypes: [],
  methods: [method('GET /')],
  authorizers: new Map(),
  gatewayResponses: new Map(),
  usagePlans: [],
  throttles: [],
  ...overrides,
});

export const request = (overrides: Partial<GatewayRequest> = {}): GatewayRequest => ({
  method: 'GET',
  path: '/',
  headers: { Host: ['acme.localhost:3000'] },
  query: {},
  body: Buffer.alloc(0),
  sourceIp: '127.0.0.1',
  protocol: 'HTTP/1.1',
  ...overrides,
});

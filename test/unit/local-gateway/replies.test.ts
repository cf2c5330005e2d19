import { describe, expect, test } from 'vitest';
import { accessLogLine, humanLogLine } from '../../../local/gateway/access-log.ts';
import { startContext, substitute } from '../../../local/gateway/context.ts';
import { GatewayRefusal, refusalReply } from '../../../local/gateway/gateway-responses.ts';
import { mockReply } from '../../../local/gateway/mock.ts';
import { proxyReply } from '../../../local/gateway/proxy-reply.ts';
import { validateParameters } from '../../../local/gateway/validator.ts';
import { api, method, request } from './api-definition.ts';

const answered = (answer: unknown, definition = api(), from = request()) =>
  proxyReply(definition, from, { payload: JSON.stringify(answer), isError: false });

describe('a function’s answer', () => {
  test('becomes status, headers and body', () => {
    const reply = answered({ statusCode: 201, headers: { 'X-A': 'a', 'X-N': 5 }, body: 'text' });
    expect(reply).toMatchObject({
      status: 201,
      headers: { 'X-A': ['a'], 'X-N': ['5'], 'Content-Type': ['application/json'] },
    });
    expect(reply.body.toString()).toBe('text');
  });

  test('may repeat a header, whose values are sent once each', () => {
    const reply = answered({
      statusCode: 200,
      headers: { 'set-cookie': 'b=2', 'content-type': 'text/plain' },
      multiValueHeaders: { 'Set-Cookie': ['a=1', 'b=2'] },
    });
    expect(reply.headers).toEqual({ 'Set-Cookie': ['a=1', 'b=2'], 'content-type': ['text/plain'] });
  });

  test('cannot set what belongs to API Gateway', () => {
    const { headers } = answered({ statusCode: 200, headers: { 'Content-Length': '1', Connection: 'close' } });
    expect(headers).toMatchObject({ 'x-amzn-Remapped-Content-Length': ['1'], 'x-amzn-Remapped-Connection': ['close'] });
  });

  test('is decoded from base64 only where the API has binary types', () => {
    const answer = { statusCode: 200, body: 'aGVsbG8=', isBase64Encoded: true };
    expect(answered(answer).body.toString()).toBe('aGVsbG8=');
    expect(answered(answer, api({ binaryMediaTypes: ['*/*'] })).body.toString()).toBe('hello');
  });

  test.each<[string, unknown]>([
    ['no object', 'text'],
    ['null', null],
    ['no status', { body: '' }],
    ['a status that is none', { statusCode: 'ok' }],
    ['a body that is an object', { statusCode: 200, body: {} }],
    ['an unknown member', { statusCode: 200, bodyy: '' }],
    ['a header that is a list', { statusCode: 200, headers: { a: ['b'] } }],
  ])('is malformed with %s', (_name, answer) => {
    expect(() => answered(answer)).toThrow(expect.objectContaining({ responseType: 'INTEGRATION_FAILURE' }));
  });

  test('that is an error tells the client nothing', () => {
    const failed = () => proxyReply(api(), request(), { payload: '{"errorMessage":"secret"}', isError: true });
    expect(failed).toThrow(
      expect.objectContaining({ responseType: 'INTEGRATION_FAILURE', message: 'Internal server error' }),
    );
  });
});

describe('a refusal', () => {
  const gatewayResponses = new Map([
    [
      'ACCESS_DENIED',
      {
        statusCode: 418,
        parameters: {
          'gatewayresponse.header.Content-Type': "'application/problem+json'",
          'gatewayresponse.header.X-Request': 'context.requestId',
          'gatewayresponse.header.X-Missing': 'context.authorizer.nothing',
          'gatewayresponse.header.X-Origin': 'method.request.header.Origin',
        },
        templates: { 'application/json': '{"code":"$context.authorizer.errorCode","none":"$context.authorizer.none"}' },
      },
    ],
    ['DEFAULT_4XX', { statusCode: undefined, parameters: {}, templates: { 'text/plain': '$context.error.message' } }],
  ]);
  const definition = api({ gatewayResponses });

  test('is what the template says, with variables filled in', () => {
    const from = request({ headers: { Host: ['x'], origin: ['https://app.example.com'] } });
    const context = startContext(definition, from);
    context.authorizer = { errorCode: 'tenant-suspended' };
    const reply = refusalReply(definition, context, from, new GatewayRefusal('ACCESS_DENIED'));
    expect(reply.status).toBe(418);
    expect(reply.body.toString()).toBe('{"code":"tenant-suspended","none":""}');
    expect(reply.headers).toEqual({
      'Content-Type': ['application/problem+json'],
      'X-Request': [context.requestId],
      'X-Origin': ['https://app.example.com'],
      'x-amzn-ErrorType': ['AccessDeniedException'],
    });
  });

  test('falls back to the template of its class, with a status of its own', () => {
    const reply = refusalReply(
      definition,
      startContext(definition, request()),
      request(),
      new GatewayRefusal('THROTTLED'),
    );
    expect([reply.status, reply.body.toString()]).toEqual([429, 'Too Many Requests']);
  });

  test('falls back to API Gateway’s own words', () => {
    const context = startContext(api(), request());
    const reply = refusalReply(api(), context, request(), new GatewayRefusal('UNAUTHORIZED'));
    expect([reply.status, reply.body.toString()]).toEqual([401, '{"message":"Unauthorized"}']);
  });
});

describe('variables', () => {
  const context = startContext(api(), request({ path: '/projects/7' }));

  test('are replaced wherever they stand, and missing ones are marked', () => {
    expect(
      accessLogLine('$context.httpMethod ${context.path} "$context.status" $context.identity.sourceIp.', context),
    ).toBe('GET /projects/7 "-" 127.0.0.1.');
  });

  test('cannot bring quotes or control characters to the terminal', () => {
    const line = humanLogLine(startContext(api(), request({ path: `/a"b'\u001b[2J\r\n\u009b~é` })));
    expect(line).toContain('/a%22b%27%1b[2J%0d%0a%9b~%e9');
    expect(line).toMatch(/^[ -~]*$/);
  });

  test('do not reach into what every object has', () => {
    expect(substitute('[$context.constructor.name][$context.identity.toString][$context.identity]', context, '')).toBe(
      '[][][]',
    );
  });

  test('know the host without its port', () => {
    expect(substitute('$context.domainName $context.domainPrefix', context, '')).toBe('acme.localhost acme');
  });
});

describe('a request validator', () => {
  const demanding = method('GET /projects/{id}', {
    requiredParameters: ['method.request.path.id', 'method.request.querystring.q', 'method.request.header.X-Needed'],
  });

  test('lets a request with all parameters through', () => {
    const from = request({ query: { q: ['1'] }, headers: { 'x-needed': ['1'] } });
    expect(() => validateParameters(from, { method: demanding, pathParameters: { id: '7' } })).not.toThrow();
  });

  test('names those that are missing', () => {
    const from = request({ query: { q: [''] } });
    expect(() => validateParameters(from, { method: demanding, pathParameters: { id: '7' } })).toThrow(
      'Missing required request parameters: [q, X-Needed]',
    );
  });
});

test('a MOCK integration answers a preflight as its responses say', () => {
  const integration = {
    Type: 'MOCK' as const,
    TimeoutInMillis: 29_000,
    RequestTemplates: { 'application/json': '{ statusCode: 200 }' },
    IntegrationResponses: [
      {
        StatusCode: '204',
        ResponseParameters: { 'method.response.header.Access-Control-Allow-Origin': "'*'" },
        ResponseTemplates: {},
      },
    ],
  };
  const reply = mockReply(integration, request());
  expect(reply).toMatchObject({ status: 204, headers: { 'Access-Control-Allow-Origin': ['*'] } });
});

import { connect } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ApiKeyStore } from '../../../local/gateway/api-keys.ts';
import { Gateway } from '../../../local/gateway/gateway.ts';
import { type GatewayServer, PortTakenError, startGatewayServer } from '../../../local/gateway/server.ts';
import { membersOf } from '../../../local/untyped.ts';
import { api, method } from './api-definition.ts';

let folder: string;
let server: GatewayServer;
let gateway: Gateway;
const statuses: (number | undefined)[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tenantry-server-'));
  const slow = method('GET /slow', {
    integration: { Type: 'AWS_PROXY', TimeoutInMillis: 50, IntegrationResponses: [] },
    functionArn: 'never',
  });
  const definition = api({
    methods: [method('ANY /echo'), slow, method('GET /broken', { functionArn: 'broken' })],
    throttles: [{ httpMethod: 'PUT', resourcePath: '/echo', rate: 0.001, burst: 1 }],
  });
  // Answers with the event itself.
  gateway = new Gateway(definition, new ApiKeyStore(join(folder, 'keys.json')), async (arn, event) => {
    if (arn === 'never') return new Promise(() => undefined);
    const headers = arn === 'broken' ? { 'X-Bad': 'a\r\nInjected: yes' } : {};
    return { payload: JSON.stringify({ statusCode: 200, headers, body: JSON.stringify(event) }), isError: false };
  });
  server = await startGatewayServer({
    gateway,
    port: 0,
    onAnswered: ({ status }) => statuses.push(status),
    onFault: () => undefined,
  });
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** Sends bytes as they are, and returns all that comes back until the connection closes. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, '127.0.0.1', () => socket.write(text));
    let received = '';
    socket.on('data', (chunk) => (received += chunk.toString()));
    socket.on('close', () => resolve(received));
    socket.on('error', reject);
  });
}
const echo = async (text: string) => {
  const answer = await raw(text.replaceAll('\n', '\r\n'));
  return membersOf(JSON.parse(answer.split('\r\n\r\n')[1] ?? '{}'));
};

describe('an event', () => {
  test('has all values of repeated headers and parameters, and the last one by itself', async () => {
    const event = await echo(
      'GET /echo?a=1&a=2&b=%20+x&c;d=%C3%A9 HTTP/1.1\nHost: acme.localhost:1\nX-A: 1\nx-a: 2\nConnection: close\n\n',
    );
    expect(event.get('headers')).toMatchObject({ 'X-A': '2', Host: 'acme.localhost:1' });
    expect(event.get('multiValueHeaders')).toMatchObject({ 'X-A': ['1', '2'] });
    expect(event.get('headers')).not.toHaveProperty('Connection');
    expect(event.get('queryStringParameters')).toEqual({ a: '2', b: '  x', c: '', d: 'é' });
    expect(event.get('multiValueQueryStringParameters')).toEqual({ a: ['1', '2'], b: ['  x'], c: [''], d: ['é'] });
  });

  test('has null where there is nothing', async () => {
    const event = await echo('GET /echo HTTP/1.1\nHost: x\nConnection: close\n\n');
    expect(Object.fromEntries(event)).toMatchObject({
      body: null,
      isBase64Encoded: false,
      pathParameters: null,
      queryStringParameters: null,
      multiValueQueryStringParameters: null,
      stageVariables: null,
      resource: '/echo',
      requestContext: { stage: 'test', domainName: 'x', identity: { sourceIp: '127.0.0.1', apiKey: null } },
    });
  });

  test('has the body as text', async () => {
    const event = await echo('POST /echo/ HTTP/1.1\nHost: x\nConnection: close\nContent-Length: 6\n\nhéllo');
    expect(event.get('body')).toBe('héllo');
    expect(event.get('path')).toBe('/echo/');
  });

  test('takes a path out of an absolute request target', async () => {
    expect((await echo('GET http://evil.example/echo HTTP/1.1\nHost: x\nConnection: close\n\n')).get('path')).toBe(
      '/echo',
    );
  });

  test('cannot be given a forged sender: what the client says comes before what we saw', async () => {
    const event = await echo(
      'GET /echo HTTP/1.1\nHost: x\nX-Forwarded-For: 10.0.0.1\nX-Forwarded-Proto: gopher\nConnection: close\n\n',
    );
    expect(event.get('headers')).toMatchObject({
      'X-Forwarded-For': '10.0.0.1, 127.0.0.1',
      'X-Forwarded-Proto': 'http',
    });
  });
});

describe('the server refuses', () => {
  test.each([
    ['what is no HTTP', 'nonsense\r\n\r\n', 400],
    ['a header with a line break in its name', 'GET /echo HTTP/1.1\r\nHost: x\r\nBad Name: 1\r\n\r\n', 400],
    [
      'two different lengths',
      'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      400,
    ],
    [
      'a length and chunks',
      'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['headers past the limit', `GET /echo HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['a request without a host', 'GET /echo HTTP/1.1\r\n\r\n', 400],
  ])('%s', async (_name, text, status) => {
    expect(await raw(text)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  test.each(['a=%zz', '%zz=a', '%zz', 'a={b}', 'a=b|c'])('the query string %s', async (query) => {
    const answer = await raw(`GET /echo?${query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(answer).toContain('x-amzn-ErrorType: BadRequestException');
  });

  test('a header of a function that would split the answer', async () => {
    const answer = await raw('GET /broken HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1.1 502 /);
    expect(answer).not.toContain('Injected');
  });

  test('to wait longer than the integration’s timeout', async () => {
    const answer = await raw('GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1.1 504 [^]*Endpoint request timed out/);
  });

  test('what is over the method’s throttle', async () => {
    const put = 'PUT /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    expect(await raw(put)).toMatch(/^HTTP\/1.1 200 /);
    expect(await raw(put)).toMatch(/^HTTP\/1.1 429 /);
  });
});

test('each answered request is told to the log once', async () => {
  const before = statuses.length;
  await raw('GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  expect(statuses.slice(before)).toEqual([403]);
});

test('a port that is taken is said to be', async () => {
  const options = { gateway, port: server.port, onAnswered: () => undefined, onFault: () => undefined };
  await expect(startGatewayServer(options)).rejects.toThrow(PortTakenError);
});

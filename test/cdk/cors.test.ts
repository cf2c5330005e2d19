import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiKeyStore } from '../../local/gateway/api-keys.ts';
import { readApis } from '../../local/gateway/definition.ts';
import { Gateway } from '../../local/gateway/gateway.ts';
import { type GatewayServer, startGatewayServer } from '../../local/gateway/server.ts';
import { Functions } from '../../local/lambda/functions.ts';
import { readDeployment } from '../../local/template/deployment.ts';
import { membersOf, parseUntyped } from '../../local/untyped.ts';
import { environmentKeys } from '../../shared/contract/index.ts';
import { apiEvent } from '../helpers/api-gateway.ts';
import { synthesize, type Synthesized } from './synthesize.ts';

const app = 'https://app.example.com';
const admin = 'https://admin.example.com';
const developer = 'http://localhost:5173';
const stranger = 'https://stranger.example.com';
const issuers = [{ issuer: 'https://issuer.example.com', audience: ['app'] }];

let synthesized: Synthesized;
let functions: Functions;
let openapi: string;
let server: GatewayServer;

/** Serves a stage with these origins: its template and its bundled functions. */
async function serve(corsAllowedOrigins: string[]): Promise<void> {
  synthesized = synthesize({ corsAllowedOrigins, issuers }, 'local');
  const { outdir } = synthesized;
  const deployment = readDeployment(outdir);
  const overrides = { [environmentKeys.cacheUrl]: 'redis://127.0.0.1:1' };
  functions = new Functions({ deployment, endpoints: {}, overrides, logFolder: outdir, maxProcesses: 1 });
  const [api] = readApis(deployment);
  if (!api) throw new Error('There is no API.');
  const methods = api.methods.filter(({ resourcePath }) => resourcePath === '/openapi.json');
  openapi = methods.find(({ functionArn }) => functionArn)?.functionArn ?? '';
  const keys = new ApiKeyStore(join(outdir, 'keys.json'));
  const gateway = new Gateway(api, keys, (arn, event) => functions.invoke(arn, event));
  server = await startGatewayServer({ gateway, port: 0, onAnswered: () => undefined, onFault: () => undefined });
}
async function stop(): Promise<void> {
  await server.stop();
  await functions.stop();
  synthesized[Symbol.dispose]();
}

type Headers = Readonly<Record<string, string>>;

const corsHeadersOf = (headers: Iterable<readonly [string, unknown]>): Headers =>
  Object.fromEntries(
    [...headers]
      .map(([name, value]): [string, string] => [name.toLowerCase(), String(value)])
      .filter(([name]) => name.startsWith('access-control-') || name === 'vary'),
  );

async function ask(method: string, path: string, origin: string | undefined): Promise<[number, Headers]> {
  const wanted = { 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization' };
  const headers = { ...(origin !== undefined && { Origin: origin }), ...(method === 'OPTIONS' && wanted) };
  const answer = await fetch(`${server.url}${path}`, { method, headers });
  await answer.arrayBuffer();
  return [answer.status, corsHeadersOf(answer.headers)];
}

const preflight = (origin: string) => ask('OPTIONS', '/projects/1', origin);
/** The gateway's own answer. */
const refusal = (origin?: string) => ask('GET', '/projects', origin);
const success = (origin?: string) => ask('GET', '/openapi.json', origin);

/** A problem answer of a function: the gateway lets no request for an unknown route through, so it is asked directly. */
async function problem(origin: string): Promise<[number, Headers]> {
  const event = apiEvent({ route: 'GET /nothing', headers: { origin } });
  const { payload } = await functions.invoke(openapi, event);
  const answer = membersOf(parseUntyped(payload));
  return [Number(answer.get('statusCode')), corsHeadersOf(membersOf(answer.get('headers')))];
}

describe('a stage without origins', () => {
  beforeAll(() => serve([]));
  afterAll(stop);

  it('lets no other origin read anything', async () => {
    expect(await preflight(app)).toEqual([404, {}]);
    expect(await refusal(app)).toEqual([401, {}]);
    expect(await success(app)).toEqual([200, {}]);
    expect(await problem(app)).toEqual([404, {}]);
  });
});

describe.each([[[app]], [[app, admin, developer]]])('a stage with the origins %j', (origins) => {
  beforeAll(() => serve(origins));
  afterAll(stop);

  it.each(origins)('tells a browser of %s that it may send what the API takes', async (origin) => {
    const [status, headers] = await preflight(origin);

    expect(status).toBe(204);
    expect(headers).toEqual({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'GET,POST,PATCH,PUT,DELETE',
      'access-control-allow-headers': 'Authorization,Content-Type,Idempotency-Key,X-Tenant-ID',
      'access-control-max-age': '3600',
      vary: 'Origin',
    });
  });

  it.each(origins)('lets %s read answers and errors of functions, with all their headers', async (origin) => {
    const readable = {
      'access-control-allow-origin': origin,
      'access-control-expose-headers': '*',
      vary: 'Origin',
    };

    expect(await success(origin)).toEqual([200, readable]);
    expect(await problem(origin)).toEqual([404, readable]);
  });

  it.each(origins)('lets %s read the gateway’s own answers, with all their headers', async (origin) => {
    const [status, headers] = await refusal(origin);

    expect(status).toBe(401);
    // A gateway response cannot choose among origins.
    expect(headers['access-control-allow-origin']).toBe(origins.length > 1 ? '*' : origin);
    expect(headers['access-control-expose-headers']).toBe('*');
  });

  it('names no origin that is not configured', async () => {
    for (const [, headers] of [await preflight(stranger), await success(stranger), await problem(stranger)]) {
      expect([undefined, ...origins]).toContain(headers['access-control-allow-origin']);
      expect(headers.vary).toBe('Origin');
    }
  });

  it('says to caches on the way that an answer without an origin is for no other', async () => {
    expect(await success()).toEqual([200, { vary: 'Origin' }]);
  });
});

describe('a stage that is open to all', () => {
  beforeAll(() => serve(['*']));
  afterAll(stop);

  it('says so everywhere', async () => {
    const answers = [
      await preflight(stranger),
      await refusal(stranger),
      await success(stranger),
      await problem(stranger),
    ];

    expect(answers.map(([status]) => status)).toEqual([204, 401, 200, 404]);
    for (const [, headers] of answers) expect(headers).toMatchObject({ 'access-control-allow-origin': '*' });
  });
});

import { createHmac, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { importJWK, type JWTHeaderParameters, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import {
  type IssuerIdentity,
  issuerUrl,
  localClientId,
  publicKey,
  readIssuerIdentity,
} from '../../local/issuer/issuer-identity.ts';
import { created, expectProblem, send, tokenOf } from '../helpers/api-client.ts';
import { type DemoHomes, openDemoHomes } from '../helpers/demo-homes.ts';

let identity: IssuerIdentity;
let homes: DemoHomes;
let acme: string;

beforeAll(async () => {
  const { dataDir } = inject('stack');
  identity = readIssuerIdentity(dataDir) ?? expect.fail('The stack has no issuer.');
  homes = await openDemoHomes(dataDir);
  acme = await tokenOf('acme');
});

afterAll(() => homes[Symbol.asyncDispose]());

/** Everything that a request of this file could have written: its names all begin alike. */
const mark = `bad-input-${crypto.randomUUID()}`;
const written = (): Promise<object[]> =>
  homes.query(
    `select to_jsonb(p) as row from projects p where name like $1
     union all select to_jsonb(t) from tasks t where title like $1`,
    [`${mark}%`],
  );

const project = { name: mark };
const now = (): number => Math.floor(Date.now() / 1_000);

/** A token of the local issuer with some claims or header fields exchanged; undefined takes a claim out. */
async function token(claims: Readonly<Record<string, unknown>> = {}, header: object = {}): Promise<string> {
  const payload = {
    iss: issuerUrl(identity),
    sub: 'mallory',
    client_id: localClientId,
    token_use: 'access',
    tenant_id: 'acme',
    roles: [],
    iat: now(),
    exp: now() + 600,
    ...claims,
  };
  return new SignJWT(payload)
    .setProtectedHeader({ alg: 'RS256', kid: identity.privateKey.kid, ...header })
    .sign(await importJWK(identity.privateKey, 'RS256'));
}

/** The classic confusion: the public key, which anyone has, used as an HMAC secret. */
async function signedWithThePublicKey(): Promise<string> {
  const [, payload = ''] = (await token()).split('.');
  const header = Buffer.from(JSON.stringify({ alg: 'HS256', kid: identity.privateKey.kid })).toString('base64url');
  const pem = createPublicKey({ key: { ...publicKey(identity) }, format: 'jwk' }).export({
    type: 'spki',
    format: 'pem',
  });
  return `${header}.${payload}.${createHmac('sha256', pem).update(`${header}.${payload}`).digest('base64url')}`;
}

async function signedByAnother(): Promise<string> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const [header = '', payload = ''] = (await token()).split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as JWTPayload;
  return new SignJWT(claims)
    .setProtectedHeader(JSON.parse(Buffer.from(header, 'base64url').toString()) as JWTHeaderParameters)
    .sign(privateKey);
}

async function withOtherPayload(): Promise<string> {
  const [header, , signature] = (await token()).split('.');
  const payload = Buffer.from(JSON.stringify({ tenant_id: 'globex' })).toString('base64url');
  return `${header}.${payload}.${signature}`;
}

describe('401 for a token that is not trusted', () => {
  const cases: [string, () => Promise<string | undefined>][] = [
    ['is missing', async () => undefined],
    ['is no token', async () => 'nonsense'],
    ['has two parts', async () => (await token()).split('.').slice(0, 2).join('.')],
    ['has alg none', async () => new UnsecuredJWT({ tenant_id: 'acme', iss: issuerUrl(identity) }).encode()],
    ['is HS256, signed with the public key', signedWithThePublicKey],
    ['is signed with another key under our key id', signedByAnother],
    ['has another payload under our signature', withOtherPayload],
    ['has an unknown key id', () => token({}, { kid: 'unknown' })],
    ['is of another issuer', () => token({ iss: 'https://issuer.example.com' })],
    ['is for another client', () => token({ client_id: 'another' })],
    ['has no audience', () => token({ client_id: undefined })],
    ['is an id token', () => token({ token_use: 'id' })],
    ['has expired', () => token({ exp: now() - 60 })],
    ['never expires', () => token({ exp: undefined })],
    ['is not valid yet', () => token({ nbf: now() + 600 })],
  ];
  test.each(cases)('that %s', async (_name, make) => {
    const answer = await send('POST', '/projects', { token: await make(), body: project });
    expectProblem(answer, 401, 'unauthorized');
    expect(await written()).toEqual([]);
  });

  test.each(['Basic YWNtZTphY21l', 'Bearer', 'Bearer  ', 'bearer\tx'])('in the header "%s"', async (Authorization) => {
    expectProblem(await send('POST', '/projects', { headers: { Authorization }, body: project }), 401, 'unauthorized');
    expect(await written()).toEqual([]);
  });
});

describe('403 for a good token that lets nobody in', () => {
  const cases: [string, string, () => Promise<string>][] = [
    ['names no tenant', 'tenant-claim-missing', () => token({ tenant_id: undefined })],
    ['names no possible tenant', 'tenant-claim-missing', () => token({ tenant_id: "acme' or true --" })],
    ['names several tenants', 'tenant-claim-missing', () => token({ tenant_id: ['acme', 'globex'] })],
    ['names an unknown tenant', 'tenant-unknown', () => token({ tenant_id: 'nobody' })],
    ['is of a suspended tenant', 'tenant-suspended', () => tokenOf('umbrella')],
  ];
  test.each(cases)('that %s: %s', async (_name, code, make) => {
    const answer = await send('POST', '/projects', { token: await make(), body: project });
    expectProblem(answer, 403, code);
    expect(await written()).toEqual([]);
  });
});

describe('403 for a request that contradicts its token', () => {
  test.each([
    ['header', { 'X-Tenant-ID': 'globex' }],
    ['subdomain', { Host: 'globex.localhost' }],
    ['header and subdomain', { 'X-Tenant-ID': 'acme', Host: 'globex.localhost' }],
  ])('by %s', async (_name, headers) => {
    const answer = await send('POST', '/projects', { token: acme, headers, body: project });
    expectProblem(answer, 403, 'tenant-mismatch');
    expect(await written()).toEqual([]);
  });

  test('and none for one that agrees', async () => {
    const headers = { 'X-Tenant-ID': 'acme', Host: 'acme.localhost' };
    expect((await send('GET', '/projects', { token: acme, headers })).status).toBe(200);
  });
});

describe('a body that cannot be used', () => {
  const json = { 'Content-Type': 'application/json' };
  const cases: [string, number, string, unknown, Readonly<Record<string, string>>?][] = [
    ['is not JSON', 400, 'body-not-json', `{"name": "${mark}"`],
    ['is empty', 400, 'body-not-json', '', json],
    ['is no object', 400, 'validation-failed', [project]],
    ['has an unknown field', 400, 'validation-failed', { ...project, owner: 'me' }],
    ['sets the tenant', 400, 'validation-failed', { ...project, tenantId: 'globex' }],
    ['lacks a field', 400, 'validation-failed', { description: mark }],
    ['has a field of the wrong type', 400, 'validation-failed', { name: 7 }],
    ['has a field that is too long', 400, 'validation-failed', { name: mark.padEnd(201, 'x') }],
    ['is nested beyond reason', 400, 'validation-failed', '['.repeat(100) + ']'.repeat(100)],
    ['is of another type', 415, 'unsupported-media-type', project, { 'Content-Type': 'text/plain' }],
    ['is larger than the function takes', 413, 'body-too-large', { ...project, description: 'x'.repeat(300_000) }],
    ['is larger than Lambda takes', 413, 'body-too-large', { ...project, description: 'x'.repeat(7_000_000) }],
    ['is larger than API Gateway takes', 413, 'body-too-large', { ...project, description: 'x'.repeat(10_500_000) }],
  ];
  test.each(cases)('because it %s: %d %s', async (_name, status, code, body, headers = {}) => {
    expectProblem(await send('POST', '/projects', { token: acme, body, headers }), status, code);
    expect(await written()).toEqual([]);
  });

  test('a wrong field is named by its pointer', async () => {
    const { json: problem } = await send('POST', '/projects', { token: acme, body: { ...project, owner: 'me' } });
    expect(problem).toMatchObject({
      errors: [{ pointer: expect.stringContaining('owner'), detail: expect.any(String) }],
    });
  });
});

describe('a path that leads nowhere', () => {
  test.each(['not-a-uuid', '1', '..', '%2e%2e', '%2fetc%2fpasswd', "'; drop table projects --", '%00', '%F0%9F%92%A9'])(
    'project id %s',
    async (id) => {
      const answer = await send('GET', `/projects/${id.replaceAll(' ', '%20')}`, { token: acme });
      expectProblem(answer, 400, 'validation-failed');
    },
  );

  test('a path that is not percent-encoded well', async () => {
    expectProblem(await send('GET', '/projects/%zz', { token: acme }), 400, 'validation-failed');
  });

  test.each([
    ['GET', '/nowhere'],
    ['GET', '/'],
    ['GET', '//projects'],
    ['GET', '/projects//tasks'],
    ['GET', '/projects/../projects'],
    ['GET', '/%2e%2e/projects'],
    ['GET', '/PROJECTS'],
    ['PUT', '/projects'],
    ['HEAD', '/projects'],
    ['OPTIONS', '/projects'],
    ['TRACE', '/projects'],
  ])('%s %s', async (method, path) => {
    const answer = await send(method, path, { token: acme });
    if (method === 'HEAD') expect(answer.status).toBe(404);
    else expectProblem(answer, 404, 'route-not-found');
  });

  test('a parent that is another tenant’s', async () => {
    const foreign = await created('/projects', await tokenOf('globex'), { name: crypto.randomUUID() });
    const answer = await send('POST', `/projects/${foreign}/tasks`, { token: acme, body: { title: mark } });
    expectProblem(answer, 404, 'not-found');
    expect(await written()).toEqual([]);
  });
});

test.each([
  '?limit=0',
  '?limit=x',
  '?cursor=nonsense',
  '?unknown=1',
  '?limit=1&limit=2',
  '?limit=%zz',
  '?archived=perhaps',
])('a query string that cannot be used: %s', async (query) => {
  expectProblem(await send('GET', `/projects${query}`, { token: acme }), 400, 'validation-failed');
});

test('and a request without a fault is written, so that the counts above mean something', async () => {
  await created('/projects', acme, project);
  expect(await written()).toMatchObject([{ row: { name: mark, tenant_id: 'acme' } }]);
});

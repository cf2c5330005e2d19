import { describe, expect, test } from 'vitest';
import { send } from '../../helpers/api-client.ts';
import { type Attack, plantTarget } from './canary.ts';

const target = plantTarget();
const mismatch = [403, 'tenant-mismatch'] as const;
const unauthorized = [401, 'unauthorized'] as const;
type Headers = Readonly<Record<string, string | readonly string[]>>;

/** Writes, so that a request which gets through as another tenant leaves a row. */
const write = (headers: Headers, answer: Attack['answer']) =>
  target().attack({
    method: 'POST',
    request: { token: target().token, headers, body: { name: target().mark + crypto.randomUUID() } },
    answer,
  });

describe('a tenant that is named by a header', () => {
  test.each<[string, Headers]>([
    ['in lower case', { 'x-tenant-id': 'globex' }],
    ['in upper case', { 'X-TENANT-ID': 'globex' }],
    ['with blanks around it', { 'X-Tenant-ID': '  globex\t' }],
    ['after our own', { 'X-Tenant-ID': ['acme', 'globex'] }],
    ['before our own', { 'X-Tenant-ID': ['globex', 'acme'] }],
    ['in two spellings', { 'X-Tenant-ID': 'acme', 'x-tenant-id': ['acme', 'globex'] }],
    ['behind a comma', { 'X-Tenant-ID': 'acme, globex' }],
    ['before a comma', { 'X-Tenant-ID': 'globex,acme' }],
    ['behind a semicolon', { 'X-Tenant-ID': 'acme;globex' }],
    ['in other letters', { 'X-Tenant-ID': 'ACME' }],
    ['in quotes', { 'X-Tenant-ID': '"acme"' }],
    ['in bytes that are no ASCII', { 'X-Tenant-ID': 'acm\u00e9' }],
    ['as a path', { 'X-Tenant-ID': '../acme' }],
    ['very long', { 'X-Tenant-ID': 'globex'.repeat(1_000) }],
  ])('%s is refused', async (_, headers) => {
    await write(headers, mismatch);
  });

  test.each<[string, Headers]>([
    ['with underscores', { X_Tenant_ID: 'globex' }],
    ['without hyphens', { XTenantID: 'globex', TenantId: 'globex', tenantId: 'globex', tenant_id: 'globex' }],
    [
      'of a proxy',
      { 'X-Forwarded-Tenant': 'globex', 'X-Original-Tenant-ID': 'globex', Forwarded: 'host=globex.localhost' },
    ],
    [
      'of the authorizer',
      { 'x-amzn-authorizer-tenantid': 'globex', 'X-Authorizer-Capability': 'v1.k1.globex.9999999999.AAAA' },
    ],
    ['as a cookie', { Cookie: 'tenant_id=globex; X-Tenant-ID=globex' }],
    ['that is empty', { 'X-Tenant-ID': '' }],
    ['that every object has', { constructor: 'globex', __proto__: 'globex', 'X-Proto': '__proto__' }],
    ['as an API key', { 'X-API-Key': 'key-of-globex' }],
  ])('%s that nobody reads changes nothing', async (_, headers) => {
    await write(headers, 201);
  });
});

describe('a host that names a tenant', () => {
  test.each<[string, Headers]>([
    ['in upper case', { Host: 'GLOBEX.LOCALHOST' }],
    ['with a dot behind it', { Host: 'globex.localhost.' }],
    ['with a port', { Host: 'globex.localhost:80' }],
    ['below our own', { Host: 'globex.acme.localhost' }],
    ['above our own', { Host: 'acme.globex.localhost' }],
    ['and contradicts the header', { Host: 'globex.localhost', 'X-Tenant-ID': 'acme' }],
  ])('%s is refused', async (_, headers) => {
    await write(headers, mismatch);
  });

  test.each<[string, Headers]>([
    ['for a proxy', { 'X-Forwarded-Host': 'globex.localhost', 'X-Host': 'globex.localhost' }],
    ['of another domain', { Host: 'globex.localhost.example.com' }],
    ['that only ends alike', { Host: 'globex-localhost' }],
    ['in the origin', { Origin: 'https://globex.localhost', Referer: 'https://globex.localhost/projects' }],
  ])('%s is not read', async (_, headers) => {
    await write(headers, 201);
  });

  test('in the request line is not read, in the Host header beside it is', async () => {
    const path = 'http://globex.localhost/projects';
    await target().attack({ path, answer: 200 });
    await target().attack({ path, request: { headers: { Host: 'globex.localhost' } }, answer: mismatch });
  });
});

describe('headers that would have the request be another', () => {
  test.each<[string, Headers]>([
    ['method', { 'X-HTTP-Method-Override': 'DELETE', 'X-HTTP-Method': 'DELETE', 'X-Method-Override': 'DELETE' }],
    ['URL', { 'X-Original-URL': '/openapi.json', 'X-Rewrite-URL': '/openapi.json' }],
  ])('of another %s are not read', async (_, headers) => {
    await target().attack({
      path: `/projects/${target().projectId}`,
      request: { headers },
      answer: [404, 'not-found'],
    });
  });
});

describe('several tokens', () => {
  const both = (...tokens: string[]): Headers => ({ Authorization: tokens.map((token) => `Bearer ${token}`) });

  test('in one header are none', async () => {
    const { token, foreignToken } = target();
    for (const separator of [',', ', ', ' ', ', Bearer ', ';'])
      await target().attack({
        request: { headers: { Authorization: `Bearer ${token}${separator}${foreignToken}` } },
        answer: unauthorized,
      });
  });

  test('in several headers count as one of them in every respect', async () => {
    const { token, foreignToken, projectId } = target();
    await send('GET', '/projects', { token });
    await send('GET', '/projects', { token: foreignToken });
    const foreignLast = await send('GET', `/projects/${projectId}`, { headers: both(token, foreignToken) });
    const ownLast = await send('GET', `/projects/${projectId}`, { headers: both(foreignToken, token) });
    expect([foreignLast.status, ownLast.status]).toEqual([200, 404]);
    for (const tokens of [
      ['nonsense', token],
      [token, 'nonsense'],
    ])
      expect([200, 401]).toContain((await send('GET', '/projects', { headers: both(...tokens) })).status);
  });
});

test('the rows that are looked for are there for their own tenant, whose answer the check of these tests would not let pass', async () => {
  const { foreignToken, projectId, expectUntouched } = target();
  const answer = await send('GET', `/projects/${projectId}`, { token: foreignToken });
  expect(answer.status).toBe(200);
  await expect(expectUntouched(answer.text)).rejects.toThrow();
});

import { expect, test } from 'vitest';
import { send, type Sent, tokenOf } from '../helpers/api-client.ts';
import { expectDescribedHeaders } from '../helpers/described-headers.ts';

/** Asks a route, and holds the answer's headers against the OpenAPI document. */
async function statusOf(route: string, request: Sent & { readonly path?: string } = {}): Promise<number> {
  const [method = '', path = ''] = route.split(' ');
  const { status, headers } = await send(method, request.path ?? path, request);
  expectDescribedHeaders(route, status, headers);
  return status;
}

test('answers of functions have the headers that the document describes', async () => {
  const token = await tokenOf('acme');
  const path = `/projects/${crypto.randomUUID()}`;
  expect(await statusOf('GET /openapi.json')).toBe(200);
  expect(await statusOf('POST /projects', { token, body: { name: crypto.randomUUID() } })).toBe(201);
  expect(await statusOf('GET /projects/{projectId}', { token, path })).toBe(404);
  expect(await statusOf('POST /projects', { token, body: {} })).toBe(400);
});

test('so have answers of the gateway itself', async () => {
  expect(await statusOf('GET /projects')).toBe(401);
  expect(await statusOf('GET /projects', { token: await tokenOf('umbrella') })).toBe(403);
  const query = '/projects?limit=%zz';
  expect(await statusOf('GET /projects', { token: await tokenOf('acme'), path: query })).toBe(400);
});

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { expectDescribedHeaders } from '../helpers/described-headers.ts';
import { startFunctions, type TestFunctions } from '../helpers/functions.ts';
import { captureJsonLines } from '../helpers/stdout.ts';

let functions: TestFunctions;
beforeAll(async () => {
  functions = await startFunctions(['acme', 'globex']);
});
afterAll(() => functions[Symbol.asyncDispose]());
beforeEach(() => {
  captureJsonLines();
});

const nowhere = '0199d5c0-0000-7000-8000-000000000000';

/** Calls a route, and holds the answer's headers against the OpenAPI document. */
async function called(...[tenantId, route, request]: Parameters<TestFunctions['call']>) {
  const answer = await functions.call(tenantId, route, request);
  expectDescribedHeaders(route, answer.status, answer.headers);
  return answer;
}

test('Answers have the headers that are described, and no others', async () => {
  const { json } = await called('acme', 'POST /projects', { body: { name: 'Apollo' } });
  const path = { projectId: String(json['id']) };
  const tasks = 'POST /projects/{projectId}/tasks';
  expect((await called('acme', 'GET /projects')).status).toBe(200);
  expect((await called('acme', tasks, { path, body: { title: 'Launch' } })).status).toBe(201);
  expect((await called('acme', 'PATCH /projects/{projectId}', { path, body: { archived: true } })).status).toBe(200);
  expect((await called('acme', 'DELETE /projects/{projectId}', { path })).status).toBe(204);
});

test('So do problems', async () => {
  await called('acme', 'POST /projects', { body: { name: 'Taken' } });
  const path = { projectId: nowhere };
  expect((await called('acme', 'GET /projects/{projectId}', { path })).status).toBe(404);
  expect((await called('acme', 'POST /projects', { body: { name: 'Taken' } })).status).toBe(409);
  expect((await called('acme', 'POST /projects', { body: {} })).status).toBe(400);
  expect((await called('acme', 'POST /projects', { body: '{' })).status).toBe(400);
  const headers = { 'Content-Type': 'text/plain' };
  expect((await called('acme', 'POST /projects', { body: 'x', headers })).status).toBe(415);
});

test('A replayed answer says so, and a key in use when to come back', async () => {
  const request = { body: { name: 'Once' }, headers: { 'Idempotency-Key': 'key' } };
  const attempts = await Promise.all([
    called('acme', 'POST /projects', request),
    called('acme', 'POST /projects', request),
  ]);
  for (const { headers } of attempts.filter(({ status }) => status === 409))
    expect(headers).toHaveProperty('Retry-After');
  const replayed = await called('acme', 'POST /projects', request);
  expect(replayed).toMatchObject({ status: 201, headers: { 'Idempotency-Replayed': 'true' } });
});

test('A tenant past its limit is told when there is more', async () => {
  const authorizer = { plan: 'free' };
  const answers = [];
  // More than two buckets full: a limiter that has lost its cache for a moment has another one.
  for (let index = 0; index < 25; index += 1) answers.push(await called('globex', 'GET /projects', { authorizer }));
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused[0]?.headers).toMatchObject({ 'Retry-After': '1', 'X-RateLimit-Remaining': '0' });
});

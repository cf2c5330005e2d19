import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { capabilityFor } from '../helpers/capability.ts';
import { startFunctions, type TestFunctions } from '../helpers/functions.ts';
import { captureJsonLines } from '../helpers/stdout.ts';

let functions: TestFunctions;
let lines: Record<string, unknown>[];
beforeAll(async () => {
  functions = await startFunctions(['acme', 'globex']);
});
afterAll(() => functions[Symbol.asyncDispose]());
beforeEach(async () => {
  lines = captureJsonLines();
  await functions.database.postgres.superuser.query('truncate pool.projects, pool.tasks, pool.idempotency_keys');
  functions.database.calls.length = 0;
});

const one = '/projects/{projectId}';
const unknownId = '018f6e3c-0000-7000-8000-00000000dead';
const create = async (tenantId: string, body: object): Promise<{ id: string } & Record<string, unknown>> => {
  const { status, json } = await functions.call(tenantId, 'POST /projects', { body });
  expect(status).toBe(201);
  return json as { id: string };
};
const at = (projectId: unknown, body?: unknown) => ({
  path: { projectId: String(projectId) },
  ...(body !== undefined && { body }),
});

test('A project is created, read, listed, changed and deleted, each in one call to the database', async () => {
  const created = await create('acme', { name: ' Apollo ', description: 'To the moon' });
  expect(created).toEqual({
    id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
    name: 'Apollo',
    description: 'To the moon',
    archived: false,
    version: 1,
    createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/),
    updatedAt: created['createdAt'],
  });
  expect(await functions.call('acme', `GET ${one}`, at(created.id))).toMatchObject({ status: 200, json: created });
  expect((await functions.call('acme', 'GET /projects')).json).toEqual({ items: [created], nextCursor: null });
  const changed = await functions.call('acme', `PATCH ${one}`, at(created.id, { archived: true }));
  expect(changed).toMatchObject({
    status: 200,
    json: { id: created.id, name: 'Apollo', description: 'To the moon', archived: true, version: 2 },
  });
  expect(await functions.call('acme', `DELETE ${one}`, at(created.id))).toMatchObject({ status: 204, text: '' });
  expect(functions.database.calls.map(({ operation }) => operation)).toEqual(Array(5).fill('ExecuteStatement'));
  expect(await functions.call('acme', `GET ${one}`, at(created.id))).toMatchObject({
    status: 404,
    json: { code: 'not-found' },
  });
});

test("Another tenant's project looks exactly like one that does not exist, and stays as it is", async () => {
  const { id } = await create('acme', { name: 'Apollo' });
  for (const [route, body] of [[`GET ${one}`], [`PATCH ${one}`, { name: 'Mine' }], [`DELETE ${one}`]] as const) {
    const foreign = await functions.call('globex', route, at(id, body));
    const missing = await functions.call('globex', route, at(unknownId, body));
    expect(foreign.status, route).toBe(404);
    expect(JSON.parse(foreign.text.replaceAll(id, unknownId)), route).toEqual(missing.json);
  }
  expect((await functions.call('globex', 'GET /projects')).json).toEqual({ items: [], nextCursor: null });
  expect((await functions.call('acme', `GET ${one}`, at(id))).json).toMatchObject({ name: 'Apollo', version: 1 });
});

test('A name is unique within its tenant, and free for others', async () => {
  const { id } = await create('acme', { name: 'Apollo' });
  await create('globex', { name: 'Apollo' });
  const gemini = await create('acme', { name: 'Gemini' });
  const duplicate = { status: 409, json: { code: 'conflict' } };
  expect(await functions.call('acme', 'POST /projects', { body: { name: 'Apollo' } })).toMatchObject(duplicate);
  expect(await functions.call('acme', `PATCH ${one}`, at(gemini.id, { name: 'Apollo' }))).toMatchObject(duplicate);
  expect((await functions.call('acme', `GET ${one}`, at(id))).json).toMatchObject({ version: 1 });
});

test('A change that names the version it was made from fails when somebody was faster', async () => {
  const { id } = await create('acme', { name: 'Apollo' });
  const change = (name: string) => functions.call('acme', `PATCH ${one}`, at(id, { name, version: 1 }));
  const answers = await Promise.all([change('Apollo 1'), change('Apollo 2')]);
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409]);
  expect(answers.find(({ status }) => status === 409)?.json).toMatchObject({ code: 'version-conflict' });
  expect(await functions.call('acme', `PATCH ${one}`, at(unknownId, { name: 'x', version: 1 }))).toMatchObject({
    status: 404,
  });
});

test('A description can be emptied, and a field that is left out stays', async () => {
  const { id } = await create('acme', { name: 'Apollo', description: 'x' });
  expect((await functions.call('acme', `PATCH ${one}`, at(id, { description: null }))).json).toMatchObject({
    name: 'Apollo',
    description: null,
  });
});

test('Pages walk through all projects in the order of their creation, also those of the same moment', async () => {
  const names = Array.from({ length: 25 }, (_, index) => `Project ${index}`);
  for (const name of names) await create('acme', { name });
  // As the superuser: the fence lets even that one write only with a tenant's capability.
  await functions.database.postgres.superuser.query(
    `select set_config('tenancy.capability', '${capabilityFor('acme')}', true);
     update pool.projects set created_at = '2026-01-01T00:00:00.123456Z' where name like '%1%'`,
  );
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const query = { limit: '4', ...(cursor && { cursor }) };
    const { status, json } = await functions.call('acme', 'GET /projects', { query });
    expect(status).toBe(200);
    seen.push(...(json['items'] as { name: string }[]).map(({ name }) => name));
    cursor = (json['nextCursor'] as string | null) ?? undefined;
  } while (cursor);
  expect(seen).toHaveLength(25);
  expect(new Set(seen)).toEqual(new Set(names));
  expect(seen.slice(0, 12).every((name) => name.includes('1'))).toBe(true);
});

test('A list can be filtered', async () => {
  const { id } = await create('acme', { name: 'Old' });
  await create('acme', { name: 'New' });
  await functions.call('acme', `PATCH ${one}`, at(id, { archived: true }));
  const namesOf = async (archived: string) => {
    const { json } = await functions.call('acme', 'GET /projects', { query: { archived } });
    return (json['items'] as { name: string }[]).map(({ name }) => name);
  };
  expect(await namesOf('true')).toEqual(['Old']);
  expect(await namesOf('false')).toEqual(['New']);
});

test('Text travels unchanged, whatever it looks like', async () => {
  const texts = [
    `'); drop table projects; --`,
    '%s %1$L %I %%',
    '\\x41 \\n $1 :name ?',
    '日本語 🚀 ñ',
    '{"a":1}',
    'null',
    "E'\\''",
  ];
  for (const name of texts) {
    const { id } = await create('acme', { name, description: name });
    expect((await functions.call('acme', `GET ${one}`, at(id))).json).toMatchObject({ name, description: name });
  }
});

test('A suspended tenant, and a forged or expired capability, get nothing', async () => {
  await create('acme', { name: 'Apollo' });
  const forged = { authorizer: { capability: 'v1.k1.acme.4102444800.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' } };
  expect(await functions.call('acme', 'GET /projects', forged)).toMatchObject({
    status: 401,
    json: { code: 'unauthorized' },
  });
  const { owner } = functions.database.postgres;
  await owner.query(`select tenancy.set_placement('globex', 'pool', 'suspended')`);
  expect(await functions.call('globex', 'GET /projects')).toMatchObject({
    status: 403,
    json: { code: 'tenant-suspended' },
  });
  await owner.query(`select tenancy.set_placement('globex', 'pool', 'active')`);
});

test('A request counts its database calls and time', async () => {
  await create('acme', { name: 'Apollo' });
  const request = lines.find((line) => line['tenant_requests_total'] === 1);
  expect(request).toMatchObject({ tenantId: 'acme', route: 'POST /projects', status: '201', databaseCalls: '1' });
  expect(request?.['tenant_database_time_ms']).toBeGreaterThan(0);
  expect(lines.find(({ operation }) => operation === 'insert')).toMatchObject({
    tenant_database_queries_total: 1,
    tenantId: 'acme',
  });
});

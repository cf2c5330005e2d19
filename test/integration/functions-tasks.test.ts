import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startFunctions, type TestFunctions } from '../helpers/functions.ts';
import { captureJsonLines } from '../helpers/stdout.ts';

let functions: TestFunctions;
let projectId: string;
beforeAll(async () => {
  functions = await startFunctions(['acme', 'globex']);
});
afterAll(() => functions[Symbol.asyncDispose]());
beforeEach(async () => {
  captureJsonLines();
  await functions.database.postgres.superuser.query('truncate pool.projects, pool.tasks, pool.idempotency_keys');
  projectId = await createProject('acme', 'Apollo');
});

const all = '/projects/{projectId}/tasks';
const one = `${all}/{taskId}`;
const unknownId = '018f6e3c-0000-7000-8000-00000000dead';
const createProject = async (tenantId: string, name: string) =>
  String((await functions.call(tenantId, 'POST /projects', { body: { name } })).json['id']);
const create = (tenantId: string, body: unknown, project = projectId) =>
  functions.call(tenantId, `POST ${all}`, { path: { projectId: project }, body });
const count = async () =>
  Number((await functions.database.postgres.superuser.query('select count(*) from pool.tasks')).rows[0].count);

test('A task is created with defaults, read, changed and deleted', async () => {
  const { status, json: task } = await create('acme', { title: 'Launch', dueOn: '2026-12-31', estimateMinutes: 90 });
  expect(status).toBe(201);
  expect(task).toMatchObject({
    projectId,
    title: 'Launch',
    status: 'open',
    assignee: null,
    dueOn: '2026-12-31',
    estimateMinutes: 90,
    version: 1,
  });
  const path = { projectId, taskId: String(task['id']) };
  expect((await functions.call('acme', `GET ${one}`, { path })).json).toEqual(task);
  const changed = await functions.call('acme', `PATCH ${one}`, { path, body: { status: 'done', dueOn: null } });
  expect(changed.json).toMatchObject({ title: 'Launch', status: 'done', dueOn: null, estimateMinutes: 90, version: 2 });
  const late = { path, body: { title: 'Late', version: 1 } };
  expect(await functions.call('acme', `PATCH ${one}`, late)).toMatchObject({
    status: 409,
    json: { code: 'version-conflict' },
  });
  expect(await functions.call('acme', `DELETE ${one}`, { path })).toMatchObject({ status: 204 });
  expect(await functions.call('acme', `DELETE ${one}`, { path })).toMatchObject({ status: 404 });
});

test("Another tenant's project looks exactly like one that does not exist, for lists and new tasks alike", async () => {
  for (const [route, body] of [[`GET ${all}`], [`POST ${all}`, { title: 'Mine' }]] as const) {
    const request = (id: string) => ({ path: { projectId: id }, ...(body && { body }) });
    const foreign = await functions.call('globex', route, request(projectId));
    const missing = await functions.call('globex', route, request(unknownId));
    expect(foreign, route).toMatchObject({ status: 404, json: { code: 'not-found' } });
    expect(JSON.parse(foreign.text.replaceAll(projectId, unknownId)), route).toEqual(missing.json);
  }
  expect(await count()).toBe(0);
});

test("Another tenant's task, and a task under another project, are not found and stay as they are", async () => {
  const taskId = String((await create('acme', { title: 'Launch' })).json['id']);
  const otherProject = await createProject('acme', 'Gemini');
  const ofGlobex = await createProject('globex', 'Own');
  const attempts = [
    ['globex', projectId],
    ['globex', ofGlobex],
    ['acme', otherProject],
  ] as const;
  for (const [tenantId, project] of attempts) {
    for (const [route, body] of [[`GET ${one}`], [`PATCH ${one}`, { title: 'Mine' }], [`DELETE ${one}`]] as const) {
      const request = (id: string) => ({ path: { projectId: project, taskId: id }, ...(body && { body }) });
      const foreign = await functions.call(tenantId, route, request(taskId));
      const missing = await functions.call(tenantId, route, request(unknownId));
      expect(foreign.status, `${tenantId} ${route}`).toBe(404);
      expect(JSON.parse(foreign.text.replaceAll(taskId, unknownId))).toEqual(missing.json);
    }
  }
  const own = await functions.call('acme', `GET ${one}`, { path: { projectId, taskId } });
  expect(own.json).toMatchObject({ title: 'Launch', version: 1 });
});

test('Lists are filtered and paged, and an empty project has an empty list', async () => {
  expect((await functions.call('acme', `GET ${all}`, { path: { projectId } })).json).toEqual({
    items: [],
    nextCursor: null,
  });
  for (let at = 0; at < 5; at += 1) {
    await create('acme', { title: `Task ${at}`, status: at % 2 ? 'doing' : 'open', assignee: at < 3 ? 'ann' : 'bob' });
  }
  const titles = async (query: Record<string, string>) => {
    const { json } = await functions.call('acme', `GET ${all}`, { path: { projectId }, query });
    return { titles: (json['items'] as { title: string }[]).map(({ title }) => title), next: json['nextCursor'] };
  };
  expect((await titles({ status: 'doing' })).titles).toEqual(['Task 1', 'Task 3']);
  expect((await titles({ status: 'open', assignee: 'ann' })).titles).toEqual(['Task 0', 'Task 2']);
  const first = await titles({ limit: '3' });
  expect(first.titles).toEqual(['Task 0', 'Task 1', 'Task 2']);
  expect((await titles({ limit: '3', cursor: String(first.next) })).titles).toEqual(['Task 3', 'Task 4']);
});

test('Deleting a project deletes its tasks', async () => {
  await create('acme', { title: 'Launch' });
  await functions.call('acme', 'DELETE /projects/{projectId}', { path: { projectId } });
  expect(await count()).toBe(0);
});

test.each([
  { title: '' },
  { title: 'x'.repeat(501) },
  { title: 'a', status: 'later' },
  { title: 'a', dueOn: '2026-02-30' },
  { title: 'a', dueOn: '31.12.2026' },
  { title: 'a', dueOn: '0000-01-01' },
  { title: 'a', estimateMinutes: -1 },
  { title: 'a', estimateMinutes: 1.5 },
  { title: 'a', estimateMinutes: 2 ** 31 },
  { title: 'a', projectId: unknownId },
  { title: 'a', tenant_id: 'globex' },
])('%j is refused and nothing is written', async (body) => {
  const { status, json } = await create('acme', body);
  expect({ status, json }).toMatchObject({ status: 400, json: { code: 'validation-failed' } });
  expect(json['errors']).toEqual([{ pointer: expect.stringMatching(/^#\/body\/./), detail: expect.any(String) }]);
  expect(await count()).toBe(0);
});

test('The largest values that the API takes, the database takes too', async () => {
  const largest = {
    title: '🚀'.repeat(250),
    assignee: 'x'.repeat(200),
    estimateMinutes: 2 ** 31 - 1,
    dueOn: '9999-12-31',
  };
  expect((await create('acme', { title: 'a', dueOn: '0001-01-01' })).json).toMatchObject({ dueOn: '0001-01-01' });
  expect((await create('acme', largest)).json).toMatchObject(largest);
  const project = { name: 'é'.repeat(200), description: '\u0001'.repeat(4000) };
  expect((await functions.call('acme', 'POST /projects', { body: project })).json).toMatchObject(project);
});

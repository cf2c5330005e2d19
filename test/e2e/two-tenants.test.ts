import { beforeAll, describe, expect, test } from 'vitest';
import { type Answer, created, expectProblem, field, send, tokenOf } from '../helpers/api-client.ts';

const nobodys = '01890000-0000-7000-8000-000000000000';

let acme: string;
let globex: string;
/** A project of acme with a task. */
let projectId: string;
let taskId: string;
let taskPath: string;

beforeAll(async () => {
  acme = await tokenOf('acme');
  globex = await tokenOf('globex');
  projectId = await created('/projects', acme, { name: `Apollo ${crypto.randomUUID()}` });
  taskId = await created(`/projects/${projectId}/tasks`, acme, { title: 'Launch' });
  taskPath = `/projects/${projectId}/tasks/${taskId}`;
});

/** Ids of all pages of a list. */
async function listed(path: string, token: string): Promise<unknown[]> {
  const ids: unknown[] = [];
  for (let cursor: unknown = ''; typeof cursor === 'string';) {
    const { json } = await send('GET', cursor ? `${path}?cursor=${encodeURIComponent(cursor)}` : path, { token });
    const items = field(json, 'items');
    ids.push(...(Array.isArray(items) ? items.map((item) => field(item, 'id')) : []));
    cursor = field(json, 'nextCursor');
  }
  return ids;
}

/** Without the id of the request, which alone may differ. */
const shapeOf = ({ status, json }: Answer, ...ids: string[]): unknown => {
  const text = JSON.stringify({ status, json: { ...Object(json), instance: '' } });
  return ids.reduce((result, id) => result.replaceAll(id, '<id>'), text);
};

describe('what a tenant makes', () => {
  test('is listed and found by its own users', async () => {
    expect(await listed('/projects', acme)).toContain(projectId);
    expect(await listed(`/projects/${projectId}/tasks`, acme)).toEqual([taskId]);
    expect((await send('GET', taskPath, { token: acme })).json).toMatchObject({ id: taskId, title: 'Launch' });
  });

  test('is in no list of another tenant', async () => {
    expect(await listed('/projects', globex)).not.toContain(projectId);
  });
});

describe('to another tenant a row is the same as no row', () => {
  test.each([
    ['GET', undefined],
    ['PATCH', { name: 'Stolen' }],
    ['DELETE', undefined],
  ])('%s of a project', async (method, body) => {
    const foreign = await send(method, `/projects/${projectId}`, { token: globex, body });
    const missing = await send(method, `/projects/${nobodys}`, { token: globex, body });
    expectProblem(foreign, 404, 'not-found');
    expect(shapeOf(foreign, projectId)).toBe(shapeOf(missing, nobodys));
  });

  test.each([
    ['GET', undefined],
    ['PATCH', { title: 'Stolen' }],
    ['DELETE', undefined],
  ])('%s of a task', async (method, body) => {
    const foreign = await send(method, taskPath, { token: globex, body });
    const missing = await send(method, `/projects/${nobodys}/tasks/${nobodys}`, { token: globex, body });
    expectProblem(foreign, 404, 'not-found');
    expect(shapeOf(foreign, projectId, taskId)).toBe(shapeOf(missing, nobodys));
  });

  test.each([
    ['GET', undefined],
    ['POST', { title: 'Smuggled' }],
  ])('%s of the tasks of a project', async (method, body) => {
    const foreign = await send(method, `/projects/${projectId}/tasks`, { token: globex, body });
    const missing = await send(method, `/projects/${nobodys}/tasks`, { token: globex, body });
    expectProblem(foreign, 404, 'not-found');
    expect(shapeOf(foreign, projectId)).toBe(shapeOf(missing, nobodys));
  });

  test('a task is not found under a project of the asking tenant either', async () => {
    const own = await created('/projects', globex, { name: `Own ${crypto.randomUUID()}` });
    expectProblem(await send('GET', `/projects/${own}/tasks/${taskId}`, { token: globex }), 404, 'not-found');
  });

  test('and after all of these attempts the rows are as they were', async () => {
    expect((await send('GET', `/projects/${projectId}`, { token: acme })).json).toMatchObject({ version: 1 });
    expect((await send('GET', taskPath, { token: acme })).json).toMatchObject({ title: 'Launch', version: 1 });
    expect(await listed(`/projects/${projectId}/tasks`, acme)).toEqual([taskId]);
  });
});

test('two tenants may give the same name, and neither learns of the other', async () => {
  const name = `Shared ${crypto.randomUUID()}`;
  const [first, second] = await Promise.all([
    created('/projects', acme, { name }),
    created('/projects', globex, { name }),
  ]);
  expect(first).not.toBe(second);
  expectProblem(await send('POST', '/projects', { token: acme, body: { name } }), 409, 'conflict');
});

test('an idempotency key of one tenant replays nothing to another', async () => {
  const headers = { 'Idempotency-Key': crypto.randomUUID() };
  const body = { name: `Once ${crypto.randomUUID()}` };
  const first = await send('POST', '/projects', { token: acme, headers, body });
  const again = await send('POST', '/projects', { token: acme, headers, body });
  const other = await send('POST', '/projects', { token: globex, headers, body });
  expect(field(again.json, 'id')).toBe(field(first.json, 'id'));
  expect(other.status).toBe(201);
  expect(field(other.json, 'id')).not.toBe(field(first.json, 'id'));
});

test('each of many interleaved requests is answered for its own tenant', async () => {
  const marks = await Promise.all(
    [acme, globex].map(
      async (token) => [token, await created('/projects', token, { name: crypto.randomUUID() })] as const,
    ),
  );
  const asked = Array.from({ length: 16 }, (_, index) => marks[index % 2] ?? ['', '']);
  const answers = await Promise.all(asked.map(([token, id]) => send('GET', `/projects/${id}`, { token })));
  expect(answers.map(({ json }) => field(json, 'id'))).toEqual(asked.map(([, id]) => id));
});

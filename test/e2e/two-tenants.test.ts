import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, created, expectProblem, field, send, tokenOf } from '../helpers/api-client.ts';
import { type PoolTenant, startPoolTenant } from '../helpers/pool-tenant.ts';

const nobodys = '01890000-0000-7000-8000-000000000000';

/** Neighbours in the pool, for these tests alone. */
const neighbours = ['next-door', 'upstairs'] as const;
const inThePool: PoolTenant[] = [];
beforeAll(async () => {
  for (const id of neighbours) {
    const tenant = await startPoolTenant(id);
    inThePool.push(tenant);
    await tenant.makeKey();
  }
});
afterAll(() => Promise.all(inThePool.map((tenant) => tenant[Symbol.asyncDispose]())));

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

describe.each([
  [...neighbours, 'in one pool'],
  ['acme', 'globex', 'in a silo, and in a schema of the other cluster'],
  ['globex', neighbours[0], 'in a schema, and in the pool beside it'],
])('%s and %s, %s', (oneId, otherId) => {
  let one: string;
  let other: string;
  /** A project of the one, with a task. */
  let projectId: string;
  let taskId: string;
  let taskPath: string;

  beforeAll(async () => {
    one = await tokenOf(oneId);
    other = await tokenOf(otherId);
    projectId = await created('/projects', one, { name: `Apollo ${crypto.randomUUID()}` });
    taskId = await created(`/projects/${projectId}/tasks`, one, { title: 'Launch' });
    taskPath = `/projects/${projectId}/tasks/${taskId}`;
  });

  describe('what a tenant makes', () => {
    test('is listed and found by its own users', async () => {
      expect(await listed('/projects', one)).toContain(projectId);
      expect(await listed(`/projects/${projectId}/tasks`, one)).toEqual([taskId]);
      expect((await send('GET', taskPath, { token: one })).json).toMatchObject({ id: taskId, title: 'Launch' });
    });

    test('is in no list of another tenant', async () => {
      expect(await listed('/projects', other)).not.toContain(projectId);
    });
  });

  describe('to another tenant a row is the same as no row', () => {
    test.each([
      ['GET', undefined],
      ['PATCH', { name: 'Stolen' }],
      ['DELETE', undefined],
    ])('%s of a project', async (method, body) => {
      const foreign = await send(method, `/projects/${projectId}`, { token: other, body });
      const missing = await send(method, `/projects/${nobodys}`, { token: other, body });
      expectProblem(foreign, 404, 'not-found');
      expect(shapeOf(foreign, projectId)).toBe(shapeOf(missing, nobodys));
    });

    test.each([
      ['GET', undefined],
      ['PATCH', { title: 'Stolen' }],
      ['DELETE', undefined],
    ])('%s of a task', async (method, body) => {
      const foreign = await send(method, taskPath, { token: other, body });
      const missing = await send(method, `/projects/${nobodys}/tasks/${nobodys}`, { token: other, body });
      expectProblem(foreign, 404, 'not-found');
      expect(shapeOf(foreign, projectId, taskId)).toBe(shapeOf(missing, nobodys));
    });

    test.each([
      ['GET', undefined],
      ['POST', { title: 'Smuggled' }],
    ])('%s of the tasks of a project', async (method, body) => {
      const foreign = await send(method, `/projects/${projectId}/tasks`, { token: other, body });
      const missing = await send(method, `/projects/${nobodys}/tasks`, { token: other, body });
      expectProblem(foreign, 404, 'not-found');
      expect(shapeOf(foreign, projectId)).toBe(shapeOf(missing, nobodys));
    });

    test('a task is not found under a project of the asking tenant either', async () => {
      const own = await created('/projects', other, { name: `Own ${crypto.randomUUID()}` });
      expectProblem(await send('GET', `/projects/${own}/tasks/${taskId}`, { token: other }), 404, 'not-found');
    });

    test('and after all of these attempts the rows are as they were', async () => {
      expect((await send('GET', `/projects/${projectId}`, { token: one })).json).toMatchObject({ version: 1 });
      expect((await send('GET', taskPath, { token: one })).json).toMatchObject({ title: 'Launch', version: 1 });
      expect(await listed(`/projects/${projectId}/tasks`, one)).toEqual([taskId]);
    });
  });

  test('two tenants may give the same name, and neither learns of the other', async () => {
    const name = `Shared ${crypto.randomUUID()}`;
    const [first, second] = await Promise.all([
      created('/projects', one, { name }),
      created('/projects', other, { name }),
    ]);
    expect(first).not.toBe(second);
    expectProblem(await send('POST', '/projects', { token: one, body: { name } }), 409, 'conflict');
  });

  test('an idempotency key of one tenant replays nothing to another', async () => {
    const headers = { 'Idempotency-Key': crypto.randomUUID() };
    const body = { name: `Once ${crypto.randomUUID()}` };
    const first = await send('POST', '/projects', { token: one, headers, body });
    const again = await send('POST', '/projects', { token: one, headers, body });
    const others = await send('POST', '/projects', { token: other, headers, body });
    expect(field(again.json, 'id')).toBe(field(first.json, 'id'));
    expect(others.status).toBe(201);
    expect(field(others.json, 'id')).not.toBe(field(first.json, 'id'));
  });

  test('each of many interleaved requests is answered for its own tenant', async () => {
    const marks = await Promise.all(
      [one, other].map(
        async (token) => [token, await created('/projects', token, { name: crypto.randomUUID() })] as const,
      ),
    );
    const asked = Array.from({ length: 16 }, (_, index) => marks[index % 2] ?? ['', '']);
    const answers = await Promise.all(asked.map(([token, id]) => send('GET', `/projects/${id}`, { token })));
    expect(answers.map(({ json }) => field(json, 'id'))).toEqual(asked.map(([, id]) => id));
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { cacheConnection } from '../../shared/cache/index.ts';
import { capabilityFor } from '../helpers/capability.ts';
import { startFunctions, type TestFunctions } from '../helpers/functions.ts';
import { captureJsonLines } from '../helpers/stdout.ts';
import { tellOfChange } from '../helpers/tenant-change.ts';

let functions: TestFunctions;
beforeAll(async () => {
  functions = await startFunctions(['acme', 'globex']);
});
afterAll(() => functions[Symbol.asyncDispose]());
beforeEach(() => {
  captureJsonLines();
});

const one = '/projects/{projectId}';
const create = async (tenantId: string): Promise<string> => {
  const { json } = await functions.call(tenantId, 'POST /projects', { body: { name: crypto.randomUUID() } });
  return String(json['id']);
};
const idsOf = async (tenantId: string, query: Record<string, string> = {}): Promise<unknown[]> => {
  const { status, json } = await functions.call(tenantId, 'GET /projects', { query });
  expect(status).toBe(200);
  return (json['items'] as { id: unknown }[]).map(({ id }) => id);
};
/** Statements that the database got while `work` ran. */
const statementsDuring = async (work: () => Promise<unknown>): Promise<number> => {
  const before = functions.database.calls.length;
  await work();
  return functions.database.calls.length - before;
};

test('A function has opened its connection to the cache before the first request comes', async () => {
  await expect.poll(() => cacheConnection(functions.link.url).client.status).toBe('ready');
});

describe('a list of projects', () => {
  test('asks the database once, and then the cache, for each page by itself', async () => {
    const ids = [await create('acme'), await create('acme'), await create('acme')];
    expect(await statementsDuring(() => idsOf('acme'))).toBe(1);
    expect(await statementsDuring(() => idsOf('acme'))).toBe(0);
    expect((await idsOf('acme')).slice(-3)).toEqual(ids);
    expect(await statementsDuring(() => idsOf('acme', { limit: '1' }))).toBe(1);
    expect(await statementsDuring(() => idsOf('acme', { limit: '2' }))).toBe(1);
    expect(await statementsDuring(() => idsOf('acme', { limit: '2', archived: 'true' }))).toBe(1);
    expect(await statementsDuring(() => idsOf('acme', { archived: 'true', limit: '2' }))).toBe(0);
    expect(await idsOf('acme', { limit: '1' })).toHaveLength(1);
    expect(await idsOf('acme', { limit: '2' })).toHaveLength(2);
  });

  test('waits for Redis once, limit and page together, when it is in the cache', async () => {
    await idsOf('acme');
    functions.link.delay(20);
    const before = functions.link.roundTrips();
    expect(await statementsDuring(() => idsOf('acme'))).toBe(0);
    functions.link.delay(0);
    expect(functions.link.roundTrips() - before).toBe(1);
  });

  test('asks for the decision on the limit first, and for the page in the same breath', async () => {
    await idsOf('acme');
    const sent = vi.spyOn(cacheConnection(functions.link.url).client, 'sendCommand');
    await idsOf('acme');
    const keys = sent.mock.calls.map(([command]) => String(command.getKeys()[0]));
    sent.mockRestore();
    expect(keys).toEqual(['t:{acme}:limit:all', 't:{acme}:generations']);
  });

  test('asks the database again after an event that the tenant is another now', async () => {
    await idsOf('acme');
    await idsOf('globex');
    await tellOfChange(cacheConnection(functions.link.url), 'acme');
    expect(await statementsDuring(() => idsOf('acme'))).toBe(1);
    expect(await statementsDuring(() => idsOf('globex'))).toBe(0);
  });

  test('answers from the cache exactly what it answers from the database', async () => {
    await create('acme');
    const [loaded, cached] = [
      await functions.call('acme', 'GET /projects'),
      await functions.call('acme', 'GET /projects'),
    ];
    expect(cached.json).toEqual(loaded.json);
  });

  test.each<[string, (id: string) => ReturnType<TestFunctions['call']>]>([
    ['is created', () => functions.call('acme', 'POST /projects', { body: { name: crypto.randomUUID() } })],
    [
      'is changed',
      (projectId) => functions.call('acme', `PATCH ${one}`, { path: { projectId }, body: { archived: true } }),
    ],
    ['is deleted', (projectId) => functions.call('acme', `DELETE ${one}`, { path: { projectId } })],
  ])('shows at once that a project %s', async (_, write) => {
    const id = await create('acme');
    const before = await functions.call('acme', 'GET /projects');
    expect((await write(id)).status).toBeLessThan(300);
    let after = before;
    expect(await statementsDuring(async () => (after = await functions.call('acme', 'GET /projects')))).toBe(1);
    expect(after.json).not.toEqual(before.json);
  });

  test('stays in the cache when a write is refused before anything is written', async () => {
    await idsOf('acme');
    expect((await functions.call('acme', 'POST /projects', { body: { name: '' } })).status).toBe(400);
    expect(await statementsDuring(() => idsOf('acme'))).toBe(0);
  });

  test('leaves the cache when a write is refused after something may have been written', async () => {
    await idsOf('acme');
    const path = { projectId: '018f6e3c-0000-7000-8000-00000000dead' };
    expect((await functions.call('acme', `DELETE ${one}`, { path })).status).toBe(404);
    expect(await statementsDuring(() => idsOf('acme'))).toBe(1);
  });

  test('leaves the cache when the answer of an earlier attempt is given again: that one may not have come so far', async () => {
    const body = { name: crypto.randomUUID() };
    const create = () =>
      functions.call('acme', 'POST /projects', { body, headers: { 'Idempotency-Key': `key-of-${body.name}` } });
    expect((await create()).status).toBe(201);
    await idsOf('acme');
    expect((await create()).headers).toMatchObject({ 'Idempotency-Replayed': 'true' });
    expect(await statementsDuring(() => idsOf('acme'))).toBe(1);
  });

  test('leaves the cache when nobody knows what a write has done', async () => {
    await idsOf('acme');
    functions.database.server.inject({ error: 'ConnectionDropped', when: 'after' });
    const failed = await functions.call('acme', 'POST /projects', { body: { name: crypto.randomUUID() } });
    expect(failed.status).toBe(503);
    expect(await statementsDuring(() => idsOf('acme'))).toBe(1);
  });

  test('of one tenant is not that of another, nor out of date by its writes', async () => {
    const id = await create('acme');
    expect(await idsOf('acme')).toContain(id);
    expect(await idsOf('globex')).not.toContain(id);
    await create('acme');
    expect(await statementsDuring(() => idsOf('globex'))).toBe(0);
  });

  test('is not taken from the cache when the proof of the tenant has run out: the database refuses it', async () => {
    await idsOf('acme');
    const authorizer = { capability: capabilityFor('acme', { secondsLeft: -1 }) };
    const answer = await functions.call('acme', 'GET /projects', { authorizer });
    expect(answer).toMatchObject({ status: 401, json: { code: 'token-expired' } });
  });

  test('is neither read nor stored for a tenant by the proof of another', async () => {
    await create('globex');
    await idsOf('acme');
    const authorizer = { capability: capabilityFor('globex') };
    expect((await functions.call('acme', 'GET /projects', { authorizer })).status).toBe(500);
    expect((await functions.call('acme', 'GET /projects', { authorizer, query: { limit: '3' } })).status).toBe(500);
    expect(await statementsDuring(() => idsOf('acme', { limit: '3' }))).toBe(1);
  });

  test('is refused for a query that is not valid, whatever is in the cache', async () => {
    await idsOf('acme');
    expect((await functions.call('acme', 'GET /projects', { query: { limit: '0' } })).status).toBe(400);
    expect((await functions.call('acme', 'GET /projects', { query: { nosuch: '1' } })).status).toBe(400);
  });
});

import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { capabilityFor } from '../helpers/capability.ts';
import { startFunctions, type TestFunctions } from '../helpers/functions.ts';
import { captureJsonLines } from '../helpers/stdout.ts';

let functions: TestFunctions;
beforeAll(async () => {
  functions = await startFunctions(['acme', 'globex']);
});
afterAll(() => functions[Symbol.asyncDispose]());
beforeEach(async () => {
  captureJsonLines();
  await query('truncate pool.projects, pool.tasks, pool.idempotency_keys');
});

const query = async (sql: string) =>
  (await functions.database.postgres.superuser.query(sql)).rows as Record<string, unknown>[];
/** Changes rows as the superuser: the fence lets even that one write only with a tenant's capability. */
const rewrite = (sql: string) =>
  query(`select set_config('tenancy.capability', '${capabilityFor('acme')}', true); ${sql}`);
const post = (body: object, key = 'key-1', { tenantId = 'acme', userId = 'ann', remainingMs = 20_000 } = {}) => {
  const request = { body, headers: { 'idempotency-key': key }, authorizer: { userId } };
  return functions.call(tenantId, 'POST /projects', request, remainingMs);
};
const projectCount = async () => Number((await query('select count(*) from pool.projects'))[0]?.['count']);

test('A repeated request gets the first answer to the byte, and is not done again', async () => {
  const first = await post({ name: 'Apollo', description: 'x' });
  const second = await post({ description: 'x', name: 'Apollo' });
  expect(first.status).toBe(201);
  expect(first.headers).not.toHaveProperty('Idempotency-Replayed');
  expect(second).toMatchObject({ status: 201, text: first.text, headers: { 'Idempotency-Replayed': 'true' } });
  expect(second.headers).toMatchObject({
    'Content-Type': 'application/json',
    'X-RateLimit-Limit': '200',
  });
  expect(await projectCount()).toBe(1);
});

test('Without a key, or with another one, a request is done again', async () => {
  await post({ name: 'Apollo' });
  expect((await post({ name: 'Gemini' }, 'key-2')).status).toBe(201);
  expect((await functions.call('acme', 'POST /projects', { body: { name: 'Mercury' } })).status).toBe(201);
  expect(await projectCount()).toBe(3);
});

test('A key that comes with another request is refused, and nothing is written', async () => {
  await post({ name: 'Apollo' });
  expect(await post({ name: 'Gemini' })).toMatchObject({ status: 422, json: { code: 'idempotency-key-reused' } });
  expect(await projectCount()).toBe(1);
});

test('Tenants, users and routes have keys of their own', async () => {
  const { json } = await post({ name: 'Apollo' });
  const ofGlobex = await post({ name: 'Apollo' }, 'key-1', { tenantId: 'globex' });
  const ofBob = await post({ name: 'Gemini' }, 'key-1', { userId: 'bob' });
  const task = await functions.call('acme', 'POST /projects/{projectId}/tasks', {
    path: { projectId: String(json['id']) },
    body: { title: 'Launch' },
    headers: { 'Idempotency-Key': 'key-1' },
    authorizer: { userId: 'ann' },
  });
  for (const answer of [ofGlobex, ofBob, task]) {
    expect(answer.status).toBe(201);
    expect(answer.headers).not.toHaveProperty('Idempotency-Replayed');
  }
  expect(ofGlobex.json['id']).not.toBe(json['id']);
});

test('The same key for the same body under another parent is another request', async () => {
  const [first, second] = await Promise.all([post({ name: 'Apollo' }, 'a'), post({ name: 'Gemini' }, 'b')]);
  const task = (projectId: unknown) =>
    functions.call('acme', 'POST /projects/{projectId}/tasks', {
      path: { projectId: String(projectId) },
      body: { title: 'Launch' },
      headers: { 'Idempotency-Key': 'c' },
    });
  expect((await task(first.json['id'])).status).toBe(201);
  expect(await task(second.json['id'])).toMatchObject({ status: 422 });
});

test('An error is not stored: the corrected attempt may use the same key', async () => {
  await post({ name: 'Apollo' }, 'key-1');
  expect(await post({ name: 'Apollo' }, 'key-2')).toMatchObject({ status: 409, json: { code: 'conflict' } });
  expect((await post({ name: 'Gemini' }, 'key-2')).status).toBe(201);
  expect(await query(`select status from pool.idempotency_keys`)).toEqual([
    { status: 'COMPLETED' },
    { status: 'COMPLETED' },
  ]);
});

test('Of many attempts at once one is done; the others get its answer or are told to wait', async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, () => post({ name: 'Apollo' })));
  expect(await projectCount()).toBe(1);
  expect(answers.filter(({ status, headers }) => status === 201 && !headers['Idempotency-Replayed'])).toHaveLength(1);
  for (const { status, headers, json } of answers) {
    if (status === 201) continue;
    expect({ status, code: json['code'] }).toEqual({ status: 409, code: 'idempotency-key-in-use' });
    expect(headers['Retry-After']).toBe('1');
  }
  expect((await post({ name: 'Apollo' })).headers['Idempotency-Replayed']).toBe('true');
});

test('A key of a function that died is free once the function must have timed out', async () => {
  const inProgress = (untilMs: number) =>
    rewrite(`update pool.idempotency_keys set status = 'INPROGRESS', response = null, in_progress_until = ${untilMs};
             delete from pool.projects`);
  await post({ name: 'Apollo' });
  await inProgress(Date.now() + 60_000);
  expect(await post({ name: 'Apollo' })).toMatchObject({ status: 409, json: { code: 'idempotency-key-in-use' } });
  await inProgress(Date.now() - 1);
  expect((await post({ name: 'Apollo' })).status).toBe(201);
  expect((await post({ name: 'Apollo' })).headers['Idempotency-Replayed']).toBe('true');
});

test('While a request is served its key is taken, for as long as its function may run', async () => {
  const { postgres } = functions.database;
  const blocker = await postgres.connectAs('superuser');
  await blocker.query('begin; lock table pool.projects in access exclusive mode');
  const startedAt = Date.now();
  const first = post({ name: 'Apollo' }, 'key-1', { remainingMs: 9_000 });
  try {
    const keys = async () => query('select status, in_progress_until from pool.idempotency_keys');
    await vi.waitUntil(async () => (await keys()).length > 0, { timeout: 5_000 });
    const [row] = await keys();
    expect(row?.['status']).toBe('INPROGRESS');
    expect(Number(row?.['in_progress_until'])).toBeGreaterThan(startedAt + 8_000);
    expect(Number(row?.['in_progress_until'])).toBeLessThanOrEqual(Date.now() + 9_000);
    const second = await post({ name: 'Apollo' }, 'key-1', { remainingMs: 4_000 });
    expect(second).toMatchObject({ status: 409, json: { code: 'idempotency-key-in-use' } });
  } finally {
    // Also when an expectation fails: the tests to come would wait for the lock.
    await blocker.query('rollback');
  }
  expect((await first).status).toBe(201);
  expect((await post({ name: 'Apollo' })).headers['Idempotency-Replayed']).toBe('true');
});

test('An answer is kept for a day', async () => {
  const before = Math.floor(Date.now() / 1000);
  await post({ name: 'Apollo' });
  const [row] = await query('select expires_at from pool.idempotency_keys');
  expect(Number(row?.['expires_at'])).toBeGreaterThanOrEqual(before + 24 * 3600);
  expect(Number(row?.['expires_at'])).toBeLessThanOrEqual(before + 24 * 3600 + 60);
});

test('An expired key can be used again, also for another request', async () => {
  await post({ name: 'Apollo' });
  await rewrite('update pool.idempotency_keys set expires_at = 1');
  const again = await post({ name: 'Gemini' });
  expect(again.status).toBe(201);
  expect(again.headers).not.toHaveProperty('Idempotency-Replayed');
});

test.each(['', ' ', 'with blank', 'ümlaut', 'x'.repeat(256), 'line\nfeed'])('The key %j is refused', async (key) => {
  expect(await post({ name: 'Apollo' }, key)).toMatchObject({ status: 400, json: { code: 'validation-failed' } });
  expect(await projectCount()).toBe(0);
});

test('The longest key is accepted', async () => {
  expect((await post({ name: 'Apollo' }, '~'.repeat(255))).status).toBe(201);
});

test('The largest answer can be replayed', async () => {
  const body = { name: 'Apollo', description: '\u0001'.repeat(4000) };
  const first = await post(body);
  expect(await post(body)).toMatchObject({ status: 201, text: first.text });
});

test('An invalid request does not take its key', async () => {
  expect(await post({ name: '' })).toMatchObject({ status: 400 });
  expect((await post({ name: 'Apollo' })).status).toBe(201);
});

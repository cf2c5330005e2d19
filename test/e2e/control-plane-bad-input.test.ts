import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { expectProblem } from '../helpers/api-client.ts';
import { type Operator, operatorOf } from '../helpers/operator.ts';
import { readStackFile } from '../helpers/stack.ts';

let operator: Operator;
let database: Client;

beforeAll(async () => {
  operator = await operatorOf('mallory-of-operations');
  database = new Client({ connectionString: (await readStackFile(inject('stack').dataDir)).postgresUrl });
  await database.connect();
});
afterAll(() => database.end());

/** All that this operator has asked for that was not refused. */
async function asked(): Promise<object[]> {
  const { rows } = await database.query<object>(
    `select kind from registry.operations where actor = $1 union all select action from registry.audit_log where actor = $1`,
    ['mallory-of-operations'],
  );
  return rows;
}

const newTenant = { tenantId: 'never-made', name: 'Never made', plan: 'free' };
const json = { 'Content-Type': 'application/json' };

describe('a body that operators send', () => {
  const bodies: [string, number, string, unknown, Readonly<Record<string, string>>?][] = [
    ['is not JSON', 400, 'body-not-json', '{"tenantId": "never-made"'],
    ['is empty', 400, 'body-not-json', '', json],
    ['is no text of UTF-8', 400, 'body-not-json', Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), json],
    ['is nested beyond reason', 400, 'validation-failed', '['.repeat(100) + ']'.repeat(100)],
    ['holds a NUL', 400, 'validation-failed', { ...newTenant, name: 'a\u0000b' }],
    ['would change a prototype', 400, 'validation-failed', '{"__proto__": {"plan": "free"}, "tenantId": "never-made"}'],
    ['is of another type', 415, 'unsupported-media-type', newTenant, { 'Content-Type': 'text/plain' }],
    ['is larger than the function takes', 413, 'body-too-large', { ...newTenant, name: 'x'.repeat(300_000) }],
    ['is larger than API Gateway takes', 413, 'body-too-large', { ...newTenant, name: 'x'.repeat(10_500_000) }],
  ];
  test.each(bodies)('is refused because it %s: %d %s', async (_, status, code, body, headers = {}) => {
    expectProblem(await operator.ask('POST', '/tenants', { body, headers }), status, code);
    expect(await asked()).toEqual([]);
  });

  test.each<[string, unknown]>([
    ['change-plan', {}],
    ['change-plan', { plan: 'gold' }],
    ['change-plan', { plan: 'pro', now: true }],
    ['change-plan', { plan: ['pro'] }],
    ['change-limits', { burst: 0 }],
    ['change-limits', { burst: 1.5 }],
    ['change-limits', { burst: '1' }],
    ['change-limits', { perSecond: 1 }],
    ['rename', {}],
    ['rename', { name: '' }],
    ['rename', { name: 'A\nB' }],
    ['rename', { name: 'A', id: 'b' }],
    ['offboard', { export: 'no' }],
    ['offboard', { export: false, force: true }],
    ['impersonate', {}],
    ['impersonate', { reason: '' }],
    ['impersonate', { reason: 'Why', minutes: 61 }],
  ])('is refused by %s: %j', async (verb, body) => {
    expectProblem(await operator.ask('POST', `/tenants/initech/${verb}`, { body }), 400, 'validation-failed');
    expect(await asked()).toEqual([]);
  });
});

describe('a path that operators ask for', () => {
  test.each(['ACME', 'a', 'a--', '%00', '..', '%2e%2e', "acme'--", '%F0%9F%92%A9', 'x'.repeat(41), '%zz'])(
    'names no tenant by %s',
    async (tenantId) => {
      expectProblem(await operator.ask('POST', `/tenants/${tenantId}/suspend`), 400, 'validation-failed');
      expect(await asked()).toEqual([]);
    },
  );

  test.each([
    ['PUT', '/tenants'],
    ['DELETE', '/tenants/initech'],
    ['GET', '/tenants/initech/suspend'],
    ['POST', '/tenants//suspend'],
    ['POST', '/TENANTS'],
    ['POST', '/tenants/initech/drop'],
    ['GET', '/projects'],
  ])('leads nowhere: %s %s', async (method, path) => {
    expectProblem(await operator.ask(method, path), 404, 'route-not-found');
    expect(await asked()).toEqual([]);
  });

  test.each([
    '/tenants?limit=0',
    '/tenants?state=gone',
    '/tenants?cursor=x',
    '/tenants?plan=free&plan=pro',
    '/operations?state=x',
  ])('has a query that cannot be used: %s', async (path) =>
    expectProblem(await operator.ask('GET', path), 400, 'validation-failed'),
  );
});

test('and a request without a fault is done, so that the counts above mean something', async () => {
  expect((await operator.operate('/tenants/initech/rename', { name: 'Initech' })).state).toBe('succeeded');
  expect(await asked()).not.toEqual([]);
});

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { poolSchema } from '../../shared/contract/index.ts';
import { type Answer, created as createdAs, expectProblem, field, send, tokenOf } from '../helpers/api-client.ts';
import { type Operator, operatorOf } from '../helpers/operator.ts';
import { readStackFile } from '../helpers/stack.ts';

let operator: Operator;
let database: Client;

beforeAll(async () => {
  operator = await operatorOf('olga');
  database = new Client({ connectionString: (await readStackFile(inject('stack').dataDir)).postgresUrl });
  await database.connect();
});
afterAll(() => database.end());

const onboard = (tenantId: string, plan = 'free') =>
  operator.operate('/tenants', { tenantId, name: `Tenant ${tenantId}`, plan });
const keysOf = async (tenantId: string) => {
  const file = await readFile(join(inject('stack').dataDir, 'api-keys.json'), 'utf8');
  const keys = JSON.parse(file) as { name: string; usagePlanId: string }[];
  return keys.filter(({ name }) => name.endsWith(`-${tenantId}`));
};
const eventsOf = async (tenantId: string): Promise<string[]> => {
  const { rows } = await database.query<{ type: string }>(
    'select type from registry.events where tenant_id = $1 order by sequence',
    [tenantId],
  );
  return rows.map(({ type }) => type);
};

describe('onboarding', () => {
  test('answers at once with an operation, and ends with a tenant that is served', async () => {
    const body = { tenantId: 'newcomer', name: 'Newcomer', plan: 'pro' };
    const answer = await operator.ask('POST', '/tenants', { body });
    expect(answer.status, answer.text).toBe(202);
    const id = String(field(answer.json, 'id'));
    expect(answer.json).toMatchObject({ kind: 'onboard', tenantId: 'newcomer', state: 'pending', actor: 'olga' });
    expect(answer.headers['location']).toBe(`/operations/${id}`);

    const operation = await operator.untilEnded(id);
    expect(operation).toMatchObject({ state: 'succeeded', percent: 100, error: null });
    expect(operation.steps.map(({ state }) => state)).toEqual(operation.steps.map(() => 'succeeded'));
    expect((await operator.ask('GET', '/tenants/newcomer')).json).toMatchObject({
      state: 'active',
      plan: 'pro',
      placement: { model: 'bridge', schema: 't_newcomer' },
    });
    const token = await tokenOf('newcomer');
    const created = await send('POST', '/projects', { token, body: { name: 'First' } });
    expect(created.status, created.text).toBe(201);
    expect(created.headers['x-ratelimit-limit']).toBe('50');
    expect(await keysOf('newcomer')).toHaveLength(1);
    expect(await eventsOf('newcomer')).toEqual(['onboardingRequest', 'onboardingSuccess']);
  });

  test('is done once for one idempotency key, which means nothing else then', async () => {
    const headers = { 'Idempotency-Key': 'onboard-once' };
    const body = { tenantId: 'once', name: 'Once', plan: 'free' };
    const answers = await Promise.all([1, 2, 3].map(() => operator.ask('POST', '/tenants', { headers, body })));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    const [id] = new Set(answers.map(({ json }) => field(json, 'id')));
    expect(answers.map(({ json }) => field(json, 'id'))).toEqual([id, id, id]);
    expect((await operator.untilEnded(String(id))).state).toBe('succeeded');
    expect(field((await operator.ask('POST', '/tenants', { headers, body })).json, 'id')).toBe(id);
    expectProblem(
      await operator.ask('POST', '/tenants', { headers, body: { ...body, plan: 'pro' } }),
      422,
      'idempotency-key-reused',
    );
    expect(await keysOf('once')).toHaveLength(1);
  });

  test('is known to a token that was refused before there was the tenant', async () => {
    const token = await tokenOf('awaited');
    const list = (): Promise<Answer> => send('GET', '/projects', { token });
    expectProblem(await list(), 403, 'tenant-unknown');
    expect((await onboard('awaited')).state).toBe('succeeded');
    expect((await list()).status).toBe(200);
  });

  test('of an id that is taken is refused, and changes nothing', async () => {
    const body = { tenantId: 'acme', name: 'Other', plan: 'free' };
    expectProblem(await operator.ask('POST', '/tenants', { body }), 409, 'tenant-exists');
    expect((await operator.ask('GET', '/tenants/acme')).json).toMatchObject({ name: 'Acme', plan: 'enterprise' });
  });

  test.each([
    ['an id with capitals', { tenantId: 'Acme', name: 'A', plan: 'free' }],
    ['an id with a slash', { tenantId: 'a/b', name: 'A', plan: 'free' }],
    ['no name', { tenantId: 'nameless', plan: 'free' }],
    ['an empty name', { tenantId: 'nameless', name: '', plan: 'free' }],
    ['a name of blanks', { tenantId: 'nameless', name: ' ', plan: 'free' }],
    ['a name of two lines', { tenantId: 'nameless', name: 'A\nB', plan: 'free' }],
    ['an unknown plan', { tenantId: 'planless', name: 'A', plan: 'gold' }],
    ['a field too many', { tenantId: 'chatty', name: 'A', plan: 'free', state: 'active' }],
    ['a placement of its own choice', { tenantId: 'chooser', name: 'A', plan: 'free', placement: { model: 'silo' } }],
    ['no object', []],
  ])('with %s is refused', async (_, body) =>
    expectProblem(await operator.ask('POST', '/tenants', { body }), 400, 'validation-failed'),
  );
});

describe('an operation', () => {
  test('on a tenant that there is not is 404', async () => {
    for (const verb of ['suspend', 'activate'])
      expectProblem(await operator.ask('POST', `/tenants/nobody/${verb}`), 404, 'not-found');
    expectProblem(
      await operator.ask('POST', '/tenants/nobody/change-plan', { body: { plan: 'pro' } }),
      404,
      'not-found',
    );
  });

  test('that there is not is 404, and what is no id 400', async () => {
    expectProblem(await operator.ask('GET', '/operations/0190a0a0-0000-7000-8000-000000000000'), 404, 'not-found');
    expectProblem(await operator.ask('GET', '/operations/1'), 400, 'validation-failed');
  });

  test('waits for none: while one is not finished, another on the same tenant is refused with its id', async () => {
    await onboard('busy');
    const id = '0190a0a0-0000-7000-8000-00000000b05e';
    await database.query(
      `insert into registry.operations (id, tenant_id, kind, state, input, actor, before)
       values ($1, 'busy', 'suspend', 'running', '{}', 'olga', registry.tenant_record('busy'))`,
      [id],
    );
    const answer = await operator.ask('POST', '/tenants/busy/activate');
    expectProblem(answer, 409, 'operation-in-progress');
    expect(field(answer.json, 'detail')).toContain(id);
    await database.query(`update registry.operations set state = 'succeeded', ended_at = now() where id = $1`, [id]);
  });

  test('is listed, the newest first', async () => {
    await onboard('listed');
    await operator.operate('/tenants/listed/suspend');
    const { json } = await operator.ask('GET', '/operations?tenantId=listed');
    expect((field(json, 'items') as { kind: string }[]).map(({ kind }) => kind)).toEqual(['suspend', 'onboard']);
    for (const query of ['state=gone', 'tenantId=A', 'kind=suspend'])
      expectProblem(await operator.ask('GET', `/operations?${query}`), 400, 'validation-failed');
  });
});

describe('suspending a tenant', () => {
  test('takes effect at its next statement, and at the gateway, for a token that is valid and known there', async () => {
    await onboard('paused');
    const token = await tokenOf('paused');
    const list = (): Promise<Answer> => send('GET', '/projects', { token });
    // Of which no answer is cached.
    const project = await createdAs('/projects', token, { name: 'Pause' });
    const read = (): Promise<Answer> => send('GET', `/projects/${project}`, { token });
    expect((await read()).status).toBe(200);
    expect((await list()).status).toBe(200);

    // The kernel by itself, while the gateway still replays what its authorizer said.
    await database.query('select tenancy.set_placement($1, $2, $3)', ['paused', poolSchema, 'suspended']);
    const byKernel = await read();
    expectProblem(byKernel, 403, 'tenant-suspended');
    expect(byKernel.headers).toHaveProperty('x-ratelimit-limit');
    await database.query('select tenancy.set_placement($1, $2, $3)', ['paused', poolSchema, 'active']);
    expect((await read()).status).toBe(200);

    expect((await operator.operate('/tenants/paused/suspend')).state).toBe('succeeded');
    const byGateway = await list();
    expectProblem(byGateway, 403, 'tenant-suspended');
    // No function was asked.
    expect(byGateway.headers).not.toHaveProperty('x-ratelimit-limit');

    expect((await operator.operate('/tenants/paused/activate')).state).toBe('succeeded');
    expect((await list()).status).toBe(200);
    expect(await eventsOf('paused')).toEqual(
      ['onboarding', 'deactivate', 'activate'].flatMap((name) => [`${name}Request`, `${name}Success`]),
    );
  });
});

describe('changing the plan of a tenant', () => {
  test('counts its requests by the new plan from then on', async () => {
    await onboard('upgraded');
    const token = await tokenOf('upgraded');
    const limit = async () => (await send('GET', '/projects', { token })).headers['x-ratelimit-limit'];
    expect(await limit()).toBe('10');
    const [before] = await keysOf('upgraded');
    expect((await operator.operate('/tenants/upgraded/change-plan', { plan: 'pro' })).state).toBe('succeeded');
    expect(await limit()).toBe('50');
    const [after, ...more] = await keysOf('upgraded');
    expect(more).toEqual([]);
    expect(after?.usagePlanId).not.toBe(before?.usagePlanId);
  });
});

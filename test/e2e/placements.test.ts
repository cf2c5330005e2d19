import { beforeAll, describe, expect, inject, test } from 'vitest';
import { expectProblem, field, send, tokenOf } from '../helpers/api-client.ts';
import { tenantCommand } from '../helpers/command.ts';
import { type Operator, operatorOf } from '../helpers/operator.ts';

let operator: Operator;
beforeAll(async () => {
  operator = await operatorOf('olga');
});

const create = async (token: string, name: string): Promise<number> =>
  (await send('POST', '/projects', { token, body: { name } })).status;
const namesOf = async (token: string): Promise<string[]> => {
  const { json } = await send('GET', '/projects', { token });
  return (field(json, 'items') as { name: string }[]).map(({ name }) => name);
};

describe.each([
  { model: 'pool', cloned: 'silo', home: { cluster: 'main', database: 'tenantry', schema: 'pool' } },
  { model: 'bridge', cloned: 'pool', home: { database: 'tenantry', schema: 't_lives_in_bridge' } },
  {
    ...{ model: 'silo', cloned: 'bridge' },
    home: { cluster: 'silos', database: 't_lives_in_silo', schema: 't_lives_in_silo' },
  },
])('a tenant of the model $model', { timeout: 60_000 }, ({ model, cloned, home }) => {
  const tenantId = `lives-in-${model}`;

  test('is served where it lives, and shown without its login', async () => {
    const body = { tenantId, name: 'Lives', plan: 'pro', model };
    expect(await operator.operate('/tenants', body)).toMatchObject({ state: 'succeeded', error: null });
    const token = await tokenOf(tenantId);
    expect(await create(token, 'One')).toBe(201);
    expect(await create(token, 'One')).toBe(409);
    expect(await namesOf(token)).toEqual(['One']);
    const shown = (await operator.ask('GET', `/tenants/${tenantId}`)).json;
    expect(shown).toMatchObject({ placement: { model, ...home } });
    expect(JSON.stringify(shown)).not.toContain('secret');
    const asked = await operator.ask('POST', `/tenants/${tenantId}/statements`, {
      body: { sql: 'select name, current_schema() as schema, current_user::text as login from projects' },
    });
    const login = model === 'silo' ? home.database : 'tenantry_app';
    expect(asked.json).toMatchObject({ rows: [{ name: 'One', schema: home.schema, login }] });
  });

  test('is refused from the next statement on when it is suspended, and served again', async () => {
    const token = await tokenOf(tenantId);
    expect(await operator.operate(`/tenants/${tenantId}/suspend`, {})).toMatchObject({ state: 'succeeded' });
    expectProblem(await send('GET', '/projects', { token }), 403, 'tenant-suspended');
    expect(await operator.operate(`/tenants/${tenantId}/activate`, {})).toMatchObject({ state: 'succeeded' });
    expect(await namesOf(token)).toEqual(['One']);
  });

  test('is renamed, and cloned into another model by one command, with its rows', async () => {
    await operator.operate(`/tenants/${tenantId}/rename`, { name: 'Renamed' });
    expect((await operator.ask('GET', `/tenants/${tenantId}`)).json).toMatchObject({ tenantId, name: 'Renamed' });
    const { code, stdout } = await tenantCommand(
      ...['clone', tenantId, `${tenantId}-2`, '--model', cloned, '--json', '--data', inject('stack').dataDir],
    );
    expect({ code, operation: JSON.parse(stdout) as unknown }).toMatchObject({
      code: 0,
      operation: { tenantId: `${tenantId}-2`, state: 'succeeded', error: null, counts: { restoredRows: 1 } },
    });
    expect(await namesOf(await tokenOf(`${tenantId}-2`))).toEqual(['One']);
    expect((await operator.ask('GET', `/tenants/${tenantId}-2`)).json).toMatchObject({
      name: 'Renamed',
      plan: 'pro',
      placement: { model: cloned },
    });
  });

  test('leaves nothing', async () => {
    const token = await tokenOf(tenantId);
    const gone = await operator.operate(`/tenants/${tenantId}/offboard`, {});
    expect(gone).toMatchObject({
      state: 'succeeded',
      error: null,
      counts: { rows: 1, erasedRows: 1, exportedRows: 1 },
      result: { proof: { home: { model, ...home }, apiKeys: 0, secrets: 0 } },
    });
    expectProblem(await send('GET', '/projects', { token }), 403, 'tenant-unknown');
    expect(await namesOf(await tokenOf(`${tenantId}-2`))).toEqual(['One']);
  });
});

describe('where a new tenant would live', () => {
  const look = (query: string) => operator.ask('GET', `/placement?plan=free&${query}`);

  test('is to be seen before it is asked for', async () => {
    const home = { cluster: 'silos', database: 't_homeless', schema: 't_homeless' };
    const answer = await look('tenantId=homeless&model=silo');
    expect(answer).toMatchObject({ status: 200, json: { model: 'silo', ...home } });
    expectProblem(await operator.ask('GET', '/tenants/homeless'), 404, 'not-found');
  });

  test.each([
    ['tenantId=globex', 409, 'tenant-exists'],
    ['tenantId=lives-in-bridge', 409, 'tenant-id-used'],
    ['tenantId=homeless&cluster=silos', 409, 'no-capacity'],
    ['tenantId=homeless&cluster=nowhere', 400, 'validation-failed'],
    ['tenantId=homeless&model=castle', 400, 'validation-failed'],
  ] as const)('is nowhere, and why: %s', async (query, status, code) => {
    expectProblem(await look(query), status, code);
  });
});

describe('where there is no room', () => {
  const ask = (more: object) =>
    operator.ask('POST', '/tenants', { body: { tenantId: 'homeless', name: 'H', plan: 'free', ...more } });

  test('a cluster that takes no such tenants says so, and nothing is begun', async () => {
    const answer = await ask({ model: 'pool', cluster: 'silos' });
    expectProblem(answer, 409, 'no-capacity');
    expect(answer.text).toContain('silos takes no pool tenants');
  });

  test('an unknown cluster is an error of the request', async () => {
    expectProblem(await ask({ cluster: 'nowhere' }), 400, 'validation-failed');
    expectProblem(await ask({ model: 'castle' }), 400, 'validation-failed');
    expectProblem(await operator.ask('GET', '/tenants/homeless'), 404, 'not-found');
  });
});

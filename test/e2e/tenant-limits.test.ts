import { beforeAll, expect, inject, test } from 'vitest';
import { tenantCommand } from '../helpers/command.ts';
import { expectProblem, field, send, tokenOf } from '../helpers/api-client.ts';
import { type Operator, operatorOf } from '../helpers/operator.ts';

const tenantId = 'limited';
let operator: Operator;
beforeAll(async () => {
  operator = await operatorOf('olga');
  await operator.operate('/tenants', { tenantId, name: 'Limited', plan: 'pro', model: 'pool' });
});

const change = (body: object) => operator.operate(`/tenants/${tenantId}/change-limits`, body);
const shown = async (): Promise<unknown> => field((await operator.ask('GET', `/tenants/${tenantId}`)).json, 'limits');

test('limits of a tenant are all that was asked for last, and it is served with them', async () => {
  const token = await tokenOf(tenantId);
  const list = async (): Promise<number> => (await send('GET', '/projects', { token })).status;
  expect(await shown()).toBeNull();
  expect(await list()).toBe(200);
  expect(await change({ requestsPerMinute: 600, burst: 20, concurrentRequests: null })).toMatchObject({
    state: 'succeeded',
    input: { requestsPerMinute: 600, burst: 20 },
    before: { limits: null },
  });
  expect(await shown()).toEqual({ requestsPerMinute: 600, burst: 20 });
  expect(await list()).toBe(200);
  await change({ concurrentRequests: 3 });
  expect(await shown()).toEqual({ concurrentRequests: 3 });
  expect(await list()).toBe(200);
  await change({ burst: null });
  expect(await shown()).toBeNull();
  expect(await list()).toBe(200);
});

test('a plan that grants less than the limits of a tenant holds all the same', async () => {
  await change({ burst: 20 });
  await operator.operate(`/tenants/${tenantId}/change-plan`, { plan: 'free' });
  expect((await operator.ask('GET', `/tenants/${tenantId}`)).json).toMatchObject({
    plan: 'free',
    limits: { burst: 20 },
  });
  const answer = await send('GET', '/projects', { token: await tokenOf(tenantId) });
  expect(answer.status).toBe(200);
  expect(answer.headers['x-ratelimit-limit']).toBe('10');
  await operator.operate(`/tenants/${tenantId}/change-plan`, { plan: 'pro' });
  await change({});
});

test('more than the plan grants is refused, with what it grants', async () => {
  const answer = await operator.ask('POST', `/tenants/${tenantId}/change-limits`, {
    body: { requestsPerMinute: 601, burst: 51, concurrentRequests: 1 },
  });
  expectProblem(answer, 422, 'limits-above-plan');
  const detail = String(field(answer.json, 'detail'));
  expect(detail).toContain('The plan pro of the tenant limited grants requestsPerMinute 600, burst 50;');
  expect(detail).toContain('asked for was requestsPerMinute 601, burst 51.');
  expect(await shown()).toBeNull();
});

test.each([{ burst: 0 }, { burst: -1 }, { burst: 1.5 }, { burst: '5' }, { rate: 5 }, { burst: 1e300 }, []])(
  'limits %j are refused',
  async (body) => {
    const answer = await operator.ask('POST', `/tenants/${tenantId}/change-limits`, { body });
    expectProblem(answer, 400, 'validation-failed');
  },
);

test('a tenant that there is not has no limits', async () => {
  expectProblem(await operator.ask('POST', '/tenants/nobody/change-limits', { body: { burst: 5 } }), 404, 'not-found');
});

test('one idempotency key is one operation', async () => {
  const headers = { 'Idempotency-Key': 'limit-once' };
  const ask = (body: object) => operator.ask('POST', `/tenants/${tenantId}/change-limits`, { headers, body });
  const id = String(field((await ask({ burst: 9 })).json, 'id'));
  await operator.untilEnded(id);
  expect(field((await ask({ burst: 9, concurrentRequests: null })).json, 'id')).toBe(id);
  expectProblem(await ask({ burst: 8 }), 422, 'idempotency-key-reused');
});

test('the command sets and shows them', async () => {
  const run = (...args: readonly string[]) => tenantCommand(...args, '--data', inject('stack').dataDir);
  expect((await run('limits', tenantId, '--burst', '4')).code).toBe(0);
  expect(JSON.parse((await run('show', tenantId)).stdout)).toMatchObject({ limits: { burst: 4 } });
  expect(await run('limits', tenantId, '--burst', '51')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('[limits-above-plan]'),
  });
  expect((await run('limits', tenantId, '--reset')).code).toBe(0);
  expect(await shown()).toBeNull();
});

test(
  'a lower burst holds from the next request on, and is over as soon as the limits are',
  { timeout: 60_000 },
  async () => {
    const token = await tokenOf(tenantId);
    const statuses = async (): Promise<number[]> => {
      const answers = await Promise.all(Array.from({ length: 8 }, () => send('GET', '/projects', { token })));
      return answers.map(({ status }) => status).toSorted();
    };
    expect(await statuses()).toEqual(Array.from({ length: 8 }, () => 200));
    // Nothing flows back while the test lasts.
    await change({ requestsPerMinute: 1, burst: 3 });
    // Three are admitted, and three more where the event of the change comes in between, which has what was used forgotten.
    expect((await statuses()).filter((status) => status === 429).length).toBeGreaterThanOrEqual(2);
    await expect.poll(statuses, { timeout: 20_000 }).toEqual(Array.from({ length: 8 }, () => 429));
    const refused = await send('GET', '/projects', { token });
    expectProblem(refused, 429, 'rate-limited');
    expect(refused.headers['x-ratelimit-limit']).toBe('3');
    await change({});
    expect((await send('GET', '/projects', { token })).headers['x-ratelimit-limit']).toBe('50');
  },
);

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { created, expectProblem, send, tokenOf } from '../helpers/api-client.ts';
import { type PoolTenant, startPoolTenant } from '../helpers/pool-tenant.ts';
import { operatorOf } from '../helpers/operator.ts';
import { readStackFile } from '../helpers/stack.ts';

/** A tenant that other tests do not expect to be served. */
const fickle = 'fickle';
let tenant: PoolTenant;
let database: Client;

beforeAll(async () => {
  tenant = await startPoolTenant(fickle);
  await tenant.makeKey();
  database = new Client({ connectionString: (await readStackFile(inject('stack').dataDir)).postgresUrl });
  await database.connect();
});

afterAll(async () => {
  await database.end();
  await tenant[Symbol.asyncDispose]();
});

/** What the authorizer has logged. It says by which request it was asked whenever it refuses one. */
async function authorizerLog(): Promise<string> {
  const folder = join(inject('stack').dataDir, 'logs');
  const file = (await readdir(folder)).find((name) => name.includes('Application-Authorizer')) ?? '';
  return readFile(join(folder, file), 'utf8');
}

/** Sends a request and returns its id. */
async function idOfRefused(token?: string): Promise<string> {
  const answer = await send('GET', '/projects', { token });
  expectProblem(answer, 401, 'unauthorized');
  return String(answer.headers['x-amz-apigw-id']);
}

/** Until the log, which is written behind the answers, has what was logged for these requests and hence for all before them. */
const untilLogged = (...ids: readonly string[]) =>
  expect
    .poll(
      async () => {
        const log = await authorizerLog();
        return ids.filter((id) => log.includes(id));
      },
      { timeout: 10_000 },
    )
    .toEqual(ids);

describe('the authorizer', () => {
  test('is asked once for a token, whatever the route', async () => {
    const token = await tokenOf(fickle, `user-${crypto.randomUUID()}`);
    const id = await created('/projects', token, { name: crypto.randomUUID() });
    await database.query(`update registry.tenants set state = 'suspended' where tenant_id = $1`, [fickle]);
    const replayed = [await send('GET', '/projects', { token }), await send('GET', `/projects/${id}`, { token })];
    const asked = await send('GET', '/projects', { token: await tokenOf(fickle, `user-${crypto.randomUUID()}`) });
    await database.query(`update registry.tenants set state = 'active' where tenant_id = $1`, [fickle]);
    expect(replayed.map(({ status }) => status)).toEqual([200, 200]);
    expectProblem(asked, 403, 'tenant-suspended');
  });

  test('is not asked when there is no token', async () => {
    const id = await idOfRefused();
    await untilLogged(await idOfRefused('nonsense'));
    expect(await authorizerLog()).not.toContain(id);
  });

  test('is asked again about a token that it could not trust', async () => {
    await untilLogged(await idOfRefused('nonsense'), await idOfRefused('nonsense'));
  });
});

test('a tenant that is suspended is refused by the database at once, though the gateway still replays its token’s answer', async () => {
  const token = await tokenOf(fickle, `user-${crypto.randomUUID()}`);
  // Of which no answer is cached.
  const project = `/projects/${await created('/projects', token, { name: 'Fickle' })}`;
  expect((await send('GET', project, { token })).status).toBe(200);
  await database.query(`select tenancy.set_placement($1, 'pool', 'suspended')`, [fickle]);
  const refused = await send('GET', project, { token });
  await database.query(`select tenancy.set_placement($1, 'pool', 'active')`, [fickle]);
  expectProblem(refused, 403, 'tenant-suspended');
  expect((await send('GET', project, { token })).status).toBe(200);
});

describe('usage plans', () => {
  test('throttle one tenant by its own key and leave others alone', async () => {
    const [initech, acme] = [await tokenOf('initech'), await tokenOf('acme')];
    const flood = await Promise.all(Array.from({ length: 25 }, () => send('GET', '/projects', { token: initech })));
    const refused = flood.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(5);
    // API Gateway's own answer, before any function ran.
    expect(refused[0]?.headers['x-amzn-errortype']).toBe('TooManyRequestsException');
    for (const answer of refused) {
      expectProblem(answer, 429, 'rate-limited');
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    }
    expect((await send('GET', '/projects', { token: acme })).status).toBe(200);
  });

  test('throttle one of two tenants of a plan, as the control plane has onboarded them, and cost the other no request', async () => {
    const operator = await operatorOf('olga');
    for (const tenantId of ['greedy', 'modest'])
      expect((await operator.operate('/tenants', { tenantId, name: tenantId, plan: 'free' })).state).toBe('succeeded');
    const [greedy, modest] = [await tokenOf('greedy'), await tokenOf('modest')];
    const flooding = Promise.all(Array.from({ length: 25 }, () => send('GET', '/projects', { token: greedy })));
    const statuses = [];
    for (let request = 0; request < 8; request += 1)
      statuses.push((await send('GET', '/projects', { token: modest })).status);
    const refused = (await flooding).filter(
      ({ headers }) => headers['x-amzn-errortype'] === 'TooManyRequestsException',
    );
    expect(refused.length).toBeGreaterThan(5);
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  test('let the tenant in again once its bucket has filled up', async () => {
    const initech = await tokenOf('initech');
    await sleep(2_500);
    expect((await send('GET', '/projects', { token: initech })).status).toBe(200);
  });
});

describe('public routes', () => {
  test('need no token', async () => {
    const answer = await send('GET', '/openapi.json');
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ openapi: expect.stringMatching(/^3\.1/) });
  });
});

const accessLog = () => readFile(join(inject('stack').dataDir, 'logs/access.log'), 'utf8');

/** The lines that have an id, once there is one: they are written behind the answer. */
async function accessLogLines(id: unknown): Promise<string[]> {
  const read = async () => (await accessLog()).split('\n').filter((line) => line.includes(String(id)));
  await expect.poll(read, { timeout: 10_000 }).toHaveLength(1);
  return read();
}

test('no request writes anything of its own into the access log', async () => {
  const user = 'eve\n{"status":"200","tenantId":"globex"}","z":"';
  const forged = '/projects","status":"200","tenantId":"globex","z":"';
  const paths = [await send('GET', forged), await send('GET', '/projects', { token: await tokenOf('acme', user) })];
  expect(paths.map(({ status }) => status)).toEqual([404, 200]);
  for (const [at, answer] of paths.entries()) {
    const [line = ''] = await accessLogLines(answer.headers['x-amz-apigw-id']);
    expect(JSON.parse(line)).toMatchObject(
      [
        { status: '404', tenantId: '-' },
        { status: '200', tenantId: 'acme' },
      ][at] ?? {},
    );
  }
  expect(await accessLog()).not.toContain('globex"}');
  expect(await accessLog()).not.toContain('eve');
});

test('every request leaves one line in the access log, without token or capability', async () => {
  const token = await tokenOf('acme', `user-${crypto.randomUUID()}`);
  const { headers } = await send('GET', '/projects', { token });
  expect(headers['x-request-id']).toBe(headers['x-amz-apigw-id']);
  const [lines, log] = [await accessLogLines(headers['x-request-id']), await accessLog()];
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    method: 'GET',
    route: '/projects',
    status: '200',
    tenantId: 'acme',
  });
  expect(log).not.toContain(token);
  expect(log).not.toMatch(/v1\.k1\./);
});

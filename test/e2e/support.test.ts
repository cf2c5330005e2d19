import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { signToken } from '../../local/issuer/sign-token.ts';
import { operatorRole } from '../../shared/contract/index.ts';
import { type Answer, created, expectProblem, field, type Sent, send, tokenOf } from '../helpers/api-client.ts';
import { readStackFile } from '../helpers/stack.ts';

let to: string;
let operator: string;

beforeAll(async () => {
  const { dataDir } = inject('stack');
  to = (await readStackFile(dataDir)).controlPlaneUrl;
  operator = await signToken(dataDir, { user: 'olga', roles: [operatorRole] });
});

const control = (method: string, path: string, sent: Sent = {}): Promise<Answer> =>
  send(method, path, { to, token: operator, ...sent });

async function impersonate(tenantId: string): Promise<{ id: string; token: string; answer: Answer }> {
  const answer = await control('POST', `/tenants/${tenantId}/impersonate`, { body: { reason: 'Ticket 42' } });
  expect(answer.status, answer.text).toBe(201);
  return { id: String(field(answer.json, 'id')), token: String(field(answer.json, 'token')), answer };
}

interface Entry {
  readonly action: string;
  readonly actor: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

async function entriesOf(tenantId: string, impersonationId: string): Promise<readonly Entry[]> {
  const answer = await control('GET', `/audit-log?tenantId=${tenantId}&limit=100`);
  expect(answer.status, answer.text).toBe(200);
  const entries = field(answer.json, 'items') as readonly Entry[];
  return entries.filter(({ detail }) => detail['impersonationId'] === impersonationId);
}

describe('an operator who acts for a tenant', () => {
  test('sees what the tenant’s users see, and the audit log each use', async () => {
    const project = await created('/projects', await tokenOf('hooli'), { name: `Nucleus ${Date.now()}` });
    const { id, token, answer } = await impersonate('hooli');
    expect(answer.headers['cache-control']).toBe('no-store');
    const read = await send('GET', `/projects/${project}`, { token });
    expect(read.status, read.text).toBe(200);
    expectProblem(
      await send('GET', `/projects/${project}`, { token, headers: { 'X-Tenant-ID': 'acme' } }),
      403,
      'tenant-mismatch',
    );
    expect((await entriesOf('hooli', id)).map(({ action, actor, detail }) => [action, actor, detail['route']])).toEqual(
      [
        ['impersonation.used', 'olga', '/projects/{projectId}'],
        ['impersonation.begun', 'olga', undefined],
      ],
    );
  });

  test('is out at once when the impersonation is ended, though the gateway remembers its token', async () => {
    const { id, token } = await impersonate('hooli');
    expect((await send('GET', '/projects', { token })).status).toBe(200);
    expect((await control('DELETE', `/tenants/hooli/impersonations/${id}`)).status).toBe(204);
    expectProblem(await send('GET', '/projects', { token }), 401, 'token-expired');
    expect((await entriesOf('hooli', id)).map(({ action }) => action)).toEqual([
      'impersonation.ended',
      'impersonation.used',
      'impersonation.begun',
    ]);
  });

  test('is no operator by that token, and its token stands in no log', async () => {
    const { token } = await impersonate('hooli');
    expectProblem(await control('GET', '/tenants', { token }), 401, 'unauthorized');
    const { headers } = await send('GET', '/projects', { token });
    const folder = join(inject('stack').dataDir, 'logs');
    const logs = async (): Promise<string> => {
      const files = (await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8'));
      return (await Promise.all(files)).join('\n');
    };
    await expect.poll(logs, { timeout: 10_000 }).toContain(String(headers['x-request-id']));
    expect(await logs()).toMatch(/"actor":"olga"/);
    expect(await logs()).not.toContain(token.slice(4));
  });
});

describe('an impersonation', () => {
  test.each([
    {},
    { reason: '' },
    { reason: 'why', minutes: 61 },
    { reason: 'why', minutes: 0 },
    { reason: 'why', actor: 'otto' },
  ])('is refused when it is asked for like this: %j', async (body) =>
    expectProblem(await control('POST', '/tenants/hooli/impersonate', { body }), 400, 'validation-failed'),
  );

  test('is of a tenant that there is, and that is active', async () => {
    const body = { reason: 'why' };
    expectProblem(await control('POST', '/tenants/nobody/impersonate', { body }), 404, 'not-found');
    expectProblem(await control('POST', '/tenants/umbrella/impersonate', { body }), 409, 'constraint-violated');
    const other = '0199f0f0-0000-7000-8000-000000000000';
    expectProblem(await control('DELETE', `/tenants/hooli/impersonations/${other}`), 404, 'not-found');
  });

  test('is not for users of tenants to begin', async () => {
    const sent = { token: await tokenOf('hooli'), body: { reason: 'why' } };
    expectProblem(await control('POST', '/tenants/hooli/impersonate', sent), 403, 'operator-only');
  });
});

test('the audit log comes in pages, the latest first', async () => {
  await impersonate('hooli');
  await impersonate('hooli');
  const first = await control('GET', '/audit-log?limit=1');
  const cursor = String(field(first.json, 'nextCursor'));
  const second = await control('GET', `/audit-log?limit=1&cursor=${cursor}`);
  const entryOf = ({ json }: Answer) => (field(json, 'items') as { entry: number }[])[0]?.entry ?? 0;
  expect(entryOf(second)).toBeLessThan(entryOf(first));
  for (const query of ['limit=0', 'cursor=x', 'tenantId=A', 'colour=red']) {
    expectProblem(await control('GET', `/audit-log?${query}`), 400, 'validation-failed');
  }
});

test('an operator runs a statement as a tenant, reads what that one has, and is told what is wrong with others', async () => {
  const project = await created('/projects', await tokenOf('hooli'), { name: `Endframe ${Date.now()}` });
  const run = (sql: string, sent: Sent = {}): Promise<Answer> =>
    control('POST', '/tenants/hooli/statements', { body: { sql }, ...sent });
  const read = await run(`select tenant_id from projects where id = '${project}'`);
  expect(read.json).toEqual({ rows: [{ tenant_id: 'hooli' }], truncated: false });
  expectProblem(await run('delete from projects returning id'), 422, 'statement-refused');
  expectProblem(await run('select 1', { token: await tokenOf('hooli') }), 403, 'operator-only');
  const entries = await control('GET', '/audit-log?tenantId=hooli&limit=2');
  expect(field(entries.json, 'items')).toMatchObject([
    { action: 'statement.run', actor: 'olga', detail: { sql: 'delete from projects returning id' } },
    { action: 'statement.run', actor: 'olga' },
  ]);
});

test('an operator sees how much room is left', async () => {
  const answer = await control('GET', '/quotas');
  expect(answer.status, answer.text).toBe(200);
  const items = field(answer.json, 'items') as { name: string; used: number; limit: number | null }[];
  expect(items.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['api-keys', 'usage-plans', 'secrets', 'schemas:main', 'connections:main', 'tenants:pro']),
  );
  expect(items.find(({ name }) => name === 'api-keys')).toMatchObject({ limit: 10_000, warning: false });
  expect(items.find(({ name }) => name === 'connections:main')?.used).toBeGreaterThan(0);
});

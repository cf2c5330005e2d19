import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { signToken } from '../../local/issuer/sign-token.ts';
import { operatorRole } from '../../shared/contract/index.ts';
import { type Answer, expectProblem, field, type Sent, send, tokenOf } from '../helpers/api-client.ts';
import { readStackFile } from '../helpers/stack.ts';

let to: string;
let operator: string;

beforeAll(async () => {
  const { dataDir } = inject('stack');
  to = (await readStackFile(dataDir)).controlPlaneUrl;
  operator = await signToken(dataDir, { user: 'olga', roles: [operatorRole] });
});

const get = (path: string, sent: Sent = {}): Promise<Answer> => send('GET', path, { to, token: operator, ...sent });
const idsOf = (answer: Answer) => (field(answer.json, 'items') as { tenantId: string }[]).map((item) => item.tenantId);
const demoIds = ['acme', 'globex', 'initech', 'hooli', 'umbrella'];

describe('the control plane is for operators alone', () => {
  test('a user of a tenant is refused, whatever their roles, and what operators are told is not replayed to them', async () => {
    expect((await get('/tenants')).status).toBe(200);
    const token = await signToken(inject('stack').dataDir, { tenant: 'acme', roles: [operatorRole] });
    expectProblem(await get('/tenants', { token: await tokenOf('acme') }), 403, 'operator-only');
    expectProblem(await get('/tenants/acme', { token }), 403, 'operator-only');
    expectProblem(await get('/openapi.json', { token }), 403, 'operator-only');
  });

  test('so is someone without the role', async () => {
    const answer = await get('/tenants', { token: await signToken(inject('stack').dataDir, { roles: ['admin'] }) });
    expectProblem(answer, 403, 'operator-only');
    expect(field(answer.json, 'detail')).toMatch(/lacks the role operator/);
  });

  test('no token and a bad one are 401', async () => {
    for (const token of [undefined, 'nonsense', `${operator}x`]) {
      const answer = await get('/tenants', { token });
      expectProblem(answer, 401, 'unauthorized');
      expect(answer.headers['www-authenticate']).toBe('Bearer');
    }
  });

  test('an operator’s token opens no door of tenants', async () => {
    expectProblem(await send('GET', '/projects', { token: operator }), 403, 'tenant-claim-missing');
    expectProblem(await send('GET', '/tenants', { token: operator }), 404, 'route-not-found');
  });

  test('the log of a request names the operator and nothing of the token', async () => {
    const { headers } = await get('/tenants');
    const folder = join(inject('stack').dataDir, 'logs');
    const file = (await readdir(folder)).find((name) => name.includes('ControlPlane-Control')) ?? '';
    const log = () => readFile(join(folder, file), 'utf8');
    await expect.poll(log, { timeout: 10_000 }).toContain(String(headers['x-request-id']));
    expect(await log()).toMatch(/"operatorId":"olga"/);
    expect(await log()).not.toMatch(/eyJ/);
  });
});

describe('the list of tenants', () => {
  test('comes in pages, oldest first, each tenant once', async () => {
    const visited: string[] = [];
    for (let more: string | null = ''; more !== null;) {
      const answer = await get(`/tenants?limit=2${more}`);
      expect(answer.status, answer.text).toBe(200);
      expect(idsOf(answer).length).toBeLessThanOrEqual(2);
      visited.push(...idsOf(answer));
      const cursor = field(answer.json, 'nextCursor') as string | null;
      more = cursor && `&cursor=${cursor}`;
    }
    expect(visited.filter((id) => demoIds.includes(id))).toEqual(demoIds);
    expect(new Set(visited).size).toBe(visited.length);
  });

  test.each([
    ['plan=pro', ['globex', 'hooli']],
    ['state=suspended', ['umbrella']],
    ['plan=free&state=active', ['initech']],
    ['plan=enterprise&state=suspended', []],
  ])('can be filtered: %s', async (query, ids) => {
    const listed = idsOf(await get(`/tenants?limit=100&${query}`));
    expect(listed.filter((id) => demoIds.includes(id))).toEqual(ids);
  });

  test.each([
    'plan=gold',
    'state=gone',
    'model=cell',
    'limit=0',
    'limit=101',
    'cursor=x',
    'colour=red',
    'plan=a&plan=b',
  ])('refuses a query that it does not know: %s', async (query) =>
    expectProblem(await get(`/tenants?${query}`), 400, 'validation-failed'),
  );
});

describe('a tenant', () => {
  test('is shown with where its data lives, without its key', async () => {
    const answer = await get('/tenants/umbrella');
    expect(answer.json).toEqual({
      tenantId: 'umbrella',
      name: 'Umbrella',
      plan: 'free',
      limits: null,
      state: 'suspended',
      placement: expect.objectContaining({ cluster: 'main', database: 'tenantry' }),
      createdAt: expect.stringMatching(/\+00:00$/),
      updatedAt: expect.stringMatching(/\+00:00$/),
    });
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  test('that there is not is 404, and an id that none can have 400', async () => {
    expectProblem(await get('/tenants/nobody'), 404, 'not-found');
    expectProblem(await get('/tenants/No%20Body'), 400, 'validation-failed');
  });
});

test('the control plane describes itself', async () => {
  const { json } = await get('/openapi.json');
  expect(Object.keys(field(json, 'paths') as object).toSorted()).toEqual([
    '/audit-log',
    '/migrations',
    '/migrations/{runId}',
    '/openapi.json',
    '/operations',
    '/operations/{operationId}',
    '/placement',
    '/quotas',
    '/tenants',
    '/tenants/{tenantId}',
    '/tenants/{tenantId}/activate',
    '/tenants/{tenantId}/change-limits',
    '/tenants/{tenantId}/change-plan',
    '/tenants/{tenantId}/export',
    '/tenants/{tenantId}/impersonate',
    '/tenants/{tenantId}/impersonations/{impersonationId}',
    '/tenants/{tenantId}/offboard',
    '/tenants/{tenantId}/rename',
    '/tenants/{tenantId}/statements',
    '/tenants/{tenantId}/suspend',
  ]);
});

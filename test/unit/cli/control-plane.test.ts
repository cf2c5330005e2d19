import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CommandError } from '../../../cli/command-error.ts';
import { controlPlane } from '../../../cli/control-plane.ts';
import { listTenants } from '../../../cli/tenants.ts';
import { type Issuer, startIssuer } from '../../../local/issuer/issuer-server.ts';

let folder: string;
let issuer: Issuer;
let server: Server;
/** What the control plane answers, one after another; each request takes one away. */
let answers: ((response: ServerResponse) => unknown)[];
let asked: { url: string; authorization: string }[];

const json =
  (status: number, body: unknown, headers: Record<string, string> = {}) =>
  (response: ServerResponse) =>
    response.writeHead(status, headers).end(JSON.stringify(body));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenantry-cli-'));
  issuer = await startIssuer(folder);
  [answers, asked] = [[], []];
  server = createServer(({ url = '', headers: { authorization = '' } }, response) => {
    asked.push({ url, authorization });
    answers.shift()?.(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const controlPlaneUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const resources = { region: 'eu-central-1', clusters: {}, roleSecrets: { owner: 'arn' } };
  await writeFile(join(folder, 'stack.json'), JSON.stringify({ controlPlaneUrl, dataApiUrl: '', resources }));
});
afterEach(async () => {
  await issuer.stop();
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

const failureOf = (work: Promise<unknown>) => work.then(() => undefined).catch((error: unknown) => error);

describe('asking the control plane', () => {
  it('is done with the token of an operator', async () => {
    answers = [json(200, { a: 1 })];
    const get = await controlPlane(folder);
    expect(await get('/tenants', { plan: 'a&b' })).toEqual({ a: 1 });
    expect(asked[0]?.url).toBe('/tenants?plan=a%26b');
    const claims = decodeJwt(asked[0]?.authorization.replace('Bearer ', '') ?? '');
    expect(claims).toMatchObject({ roles: ['operator'] });
    expect(claims).not.toHaveProperty('tenant_id');
  });

  it('waits as long as it is told to when it asks too often, and not for ever', async () => {
    const tooMany = json(
      429,
      { title: 'Too many requests', detail: 'Slow down.', instance: 'r' },
      { 'Retry-After': '0' },
    );
    answers = [tooMany, tooMany, json(200, { a: 1 })];
    const get = await controlPlane(folder);
    expect(await get('/tenants')).toEqual({ a: 1 });
    answers = Array.from({ length: 50 }, () => tooMany);
    expect(await failureOf(get('/tenants'))).toEqual(new CommandError('Slow down.'));
    expect(answers.length).toBeGreaterThan(30);
  });

  it('follows pages until there are no more', async () => {
    const item = {
      tenantId: 'acme',
      name: 'Acme',
      plan: 'pro',
      state: 'active',
      placement: { model: 'pool', cluster: 'main', database: 'tenantry', schema: 'pool' },
      createdAt: '',
      updatedAt: '',
    };
    answers = [
      json(200, { items: [item], nextCursor: 'next' }),
      json(200, { items: [{ ...item, tenantId: 'globex' }], nextCursor: null }),
    ];
    const tenants = await listTenants(await controlPlane(folder), { plan: 'pro' });
    expect(tenants.map(({ tenantId }) => tenantId)).toEqual(['acme', 'globex']);
    expect(asked.map(({ url }) => url)).toEqual([
      '/tenants?plan=pro&limit=100',
      '/tenants?plan=pro&limit=100&cursor=next',
    ]);
  });

  it.each<[string, (response: ServerResponse) => unknown, RegExp]>([
    [
      'a refusal',
      json(404, { title: 'T', detail: 'There is no tenant x.', instance: 'r' }),
      /^There is no tenant x\.$/,
    ],
    [
      'values that are wrong',
      json(400, {
        title: 'Not valid',
        detail: 'D',
        instance: 'r',
        errors: [{ pointer: '#/query/plan', detail: 'Why.' }],
      }),
      /^Not valid:\n {2}query\/plan: Why\.$/,
    ],
    ['a fault', json(500, { title: 'Internal error', instance: 'r-1' }), /^Internal error\..*logs.*r-1\.$/],
    [
      'an answer that is no JSON',
      (response) => response.writeHead(502).end('<html>'),
      /answered 502.*log of the stack/,
    ],
    ['no answer', (response) => response.destroy(), /does not answer at http:.*npm run dev/],
  ])('says what came of it: %s', async (_, answer, message) => {
    answers = [answer];
    const failure = await failureOf((await controlPlane(folder))('/tenants/x'));
    expect(failure).toBeInstanceOf(CommandError);
    expect((failure as Error).message).toMatch(message);
  });
});

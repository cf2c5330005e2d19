import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connect } from '../../../cli/api/connect.ts';
import { controlPlaneAt } from '../../../cli/api/control-plane.ts';
import { awsSigner } from '../../../cli/api/signer.ts';
import { startOperation } from '../../../cli/api/operations.ts';
import { listTenants, showTenant } from '../../../cli/api/tenants.ts';
import { CommandError, UsageError } from '../../../cli/command-error.ts';
import { verifySignature } from '../../../local/gateway/signature.ts';
import {
  type Answerer,
  type AnsweringServer,
  breakOff,
  hangUp,
  json,
  startAnsweringServer,
} from '../../helpers/answering-server.ts';

let server: AnsweringServer;
beforeEach(async () => {
  server = await startAnsweringServer();
});
afterEach(() => server[Symbol.asyncDispose]());

const local = { api: undefined, region: undefined };
const connected = () => connect({ ...local, data: server.folder });
const failureOf = (work: Promise<unknown>) => work.then(() => undefined).catch((error: unknown) => error);
const problem = (code: string, detail: string) => ({ title: 'Title', code, detail, instance: 'r-1' });
const tooMany = json(429, problem('rate-limited', 'Slow down.'), { 'Retry-After': '0' });
const key = { idempotencyKey: 'k-1' };

describe('asking the control plane', () => {
  it('of a local stack is done with the token of an operator', async () => {
    server.answers = [json(200, { a: 1 })];
    expect(await (await connected()).get('/tenants', { plan: 'a&b c', state: undefined })).toEqual({ a: 1 });
    expect(server.asked[0]?.url).toBe('/tenants?plan=a%26b%20c');
    const claims = decodeJwt(server.asked[0]?.headers.authorization?.replace('Bearer ', '') ?? '');
    expect(claims).toMatchObject({ roles: ['operator'] });
    expect(claims).not.toHaveProperty('tenant_id');
  });

  it('of a deployed one is done with a signature of the request, below the path of its stage', async () => {
    const principal = {
      ...{ accessKeyId: 'ASIAEXAMPLE', secretAccessKey: 'secret', sessionToken: 'token', mayInvoke: true },
      ...{ accountId: '111122223333', userArn: 'arn', userId: 'id' },
    };
    server.answers = [json(202, { id: 1 })];
    const options = { url: `${server.url}/dev/`, authenticate: awsSigner('eu-west-3', principal), logs: '' };
    await controlPlaneAt({ ...options, noAnswer: String }).post('/tenants', { name: 'Ünï' }, key);
    const [asked] = server.asked;
    expect(asked).toMatchObject({ method: 'POST', url: '/dev/tenants', body: '{"name":"Ünï"}' });
    const headers = Object.entries(asked?.headers ?? {}).map(([name, value]) => [name, [String(value)]] as const);
    const request = {
      ...{ method: 'POST', path: '/dev/tenants', query: {}, sourceIp: '', protocol: 'HTTP/1.1' },
      headers: Object.fromEntries(headers),
      body: Buffer.from(asked?.body ?? ''),
    };
    const options_ = { principals: [principal], region: 'eu-west-3', now: new Date() };
    expect(await verifySignature(request, options_)).toBe(principal);
  });

  it('waits as long as it is told to when it asks too often, and not for ever', async () => {
    server.answers = [tooMany, tooMany, json(200, { a: 1 })];
    const plane = await connected();
    expect(await plane.get('/tenants')).toEqual({ a: 1 });
    server.otherwise = tooMany;
    expect(await failureOf(plane.get('/tenants'))).toMatchObject({ message: 'Title [rate-limited]\nSlow down.' });
    expect(server.asked.length).toBeLessThan(20);
  });

  it('does not wait when it is told to come back tomorrow', async () => {
    server.otherwise = json(429, problem('quota-exceeded', 'Tomorrow.'), { 'Retry-After': '86400' });
    expect(await failureOf((await connected()).get('/tenants'))).toBeInstanceOf(CommandError);
    expect(server.asked).toHaveLength(1);
  });

  it.each<[string, Answerer]>([
    ['was lost', hangUp],
    ['broke off', breakOff],
    ['got lost behind the gateway', json(504, problem('gateway-timeout', ''))],
    ['says that something is out of order', json(503, problem('database-unavailable', ''))],
  ])('asks again, with the same key, when the answer %s', async (_, answer) => {
    server.answers = [answer, answer, json(202, { id: 'o-1' })];
    const plane = await connected();
    expect(await plane.post('/tenants/acme/suspend', {}, key)).toEqual({ id: 'o-1' });
    expect(server.asked.map(({ headers }) => headers['idempotency-key'])).toEqual(['k-1', 'k-1', 'k-1']);
    server.answers = [answer];
    server.otherwise = json(200, {});
    await failureOf(plane.post('/tenants/acme/impersonate', {}, { ...key, isRepeatable: false }));
    expect(server.asked).toHaveLength(4);
  });

  it('follows pages until there are no more', async () => {
    const item = {
      ...{ tenantId: 'acme', name: 'Acme', plan: 'pro', limits: null, state: 'active', createdAt: '', updatedAt: '' },
      placement: { model: 'pool', cluster: 'main', database: 'tenantry', schema: 'pool' },
    };
    server.answers = [
      json(200, { items: [item], nextCursor: 'next' }),
      json(200, { items: [{ ...item, tenantId: 'globex' }], nextCursor: null }),
    ];
    const tenants = await listTenants(await connected(), { plan: 'pro' });
    expect(tenants.map(({ tenantId }) => tenantId)).toEqual(['acme', 'globex']);
    expect(server.asked.map(({ url }) => url)).toEqual([
      '/tenants?plan=pro&limit=100',
      '/tenants?plan=pro&limit=100&cursor=next',
    ]);
  });

  it.each<[string, Answerer, RegExp]>([
    ['a refusal', json(404, problem('not-found', 'No x.')), /^Title \[not-found\]\nNo x\.\n.*list" shows/],
    [
      'values that are wrong',
      json(400, { ...problem('validation-failed', 'D'), errors: [{ pointer: '#/query/plan', detail: 'Why.' }] }),
      /^Title \[validation-failed\]:\n {2}query\/plan: Why\.$/,
    ],
    [
      'an operation in the way',
      json(
        409,
        problem('operation-in-progress', 'The operation 0198c9f0-0000-7000-8000-000000000001 is not finished.'),
      ),
      /operations 0198c9f0-0000-7000-8000-000000000001 --wait$/,
    ],
    ['a fault', json(500, { ...problem('internal', ''), detail: undefined }), /^Title \[internal\]\n.*logs.* r-1\.$/],
    ['what a terminal would obey', json(409, problem('conflict', 'a\u001b[2J\u009b')), /a\?\[2J\?$/],
    [
      'an answer that is no JSON',
      (response) => response.writeHead(500).end('<html>'),
      /answered 500.*logs of the stack/,
    ],
    [
      'an answer of something else',
      (response) => response.writeHead(404).end('<html>'),
      /answered 404.*not as a control plane/,
    ],
    ['a page in place of an answer', (response) => response.end('<html>Sign in'), /^What answers is no control plane/],
    ['a code that is no word of ours', json(409, problem('toString', 'Why.')), /^Title \[toString\]\nWhy\.$/],
    ['no answer', hangUp, /does not answer at http:.*npm run dev/],
    ['another address', (response) => response.writeHead(302, { location: 'http://127.0.0.1:1' }).end(), /not answer/],
  ])('says what came of it: %s', async (_, answer, message) => {
    server.otherwise = answer;
    const failure = await failureOf((await connected()).get('/tenants/x'));
    expect(failure).toBeInstanceOf(CommandError);
    expect((failure as Error).message).toMatch(message);
  });

  it.each([[{}], [[]], [{ items: [{}], nextCursor: null }]])('takes no other JSON for an answer: %j', async (body) => {
    server.otherwise = json(200, body);
    const plane = await connected();
    const asked = [showTenant(plane, 'acme'), listTenants(plane, {}), startOperation(plane, '/tenants', {}, 'k')];
    for (const failure of await Promise.all(asked.map(failureOf))) {
      expect(failure).toBeInstanceOf(CommandError);
      expect((failure as Error).message).toMatch(/^What answers is no control plane/);
    }
  });

  it('does not take a page for a deletion', async () => {
    server.otherwise = (response) => response.end('<html>Sign in');
    expect(await failureOf((await connected()).delete('/tenants/acme/impersonations/1'))).toBeInstanceOf(CommandError);
    server.otherwise = (response) => response.writeHead(204).end();
    expect(await (await connected()).delete('/tenants/acme/impersonations/1')).toBeUndefined();
  });

  it('of a local stack says in a sentence why it has no token', async () => {
    const issuer = join(server.folder, 'issuer.json');
    await writeFile(issuer, '{');
    const damaged = await failureOf(connected());
    expect(damaged).toBeInstanceOf(CommandError);
    expect((damaged as Error).message).toMatch(/^\/.*issuer\.json is damaged .*anew\.$/);
    await rm(issuer);
    expect((await failureOf(connected())) as Error).toMatchObject({
      message: expect.stringMatching(/^No local stack has been started in .*first\.$/),
    });
  });

  it.each<[string, Parameters<typeof connect>[0], RegExp]>([
    ['two control planes', { data: 'x', api: 'https://a.example', region: 'r' }, /choose/],
    ['no URL', { ...local, data: undefined, api: 'abc', region: 'r' }, /--api takes an https URL/],
    ['what others could read', { ...local, data: undefined, api: 'http://a.example/dev' }, /--api takes an https URL/],
  ])('does not begin with %s', async (_, connection, message) => {
    const failure = await failureOf(connect(connection));
    expect(failure).toBeInstanceOf(UsageError);
    expect((failure as Error).message).toMatch(message);
  });
});

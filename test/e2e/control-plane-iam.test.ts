import { execFile } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { awsSigner } from '../../cli/api/signer.ts';
import { signToken } from '../../local/issuer/sign-token.ts';
import { operatorRole } from '../../shared/contract/index.ts';
import { type Answer, expectProblem, field, send } from '../helpers/api-client.ts';
import { readStackFile, type StackFile } from '../helpers/stack.ts';

const dataDir = inject('stack').dataDir;
let stack: StackFile;
let region: string;
let operator: string;
beforeAll(async () => {
  stack = await readStackFile(dataDir);
  ({ region } = stack.resources);
  operator = await signToken(dataDir, { user: 'olga', roles: [operatorRole] });
});

/** Credentials as AWS tools find them, by profile. */
const credentialsOf = (profile: string) => defaultProvider({ profile, filepath: stack.awsCredentialsFile });

/** Sends a request that a principal has signed. */
async function signedGet(path: string, { profile = 'default', to = stack.controlPlaneIamUrl, headers = {} } = {}) {
  const url = new URL(path, to);
  const sent = await awsSigner(region, credentialsOf(profile))({ method: 'GET', url, headers });
  return send('GET', path, { to, headers: sent });
}

/** What a client could hope to be taken for API Gateway’s own words. */
const principal = 'arn:aws:iam::000000000000:user/root';
const forged = {
  'x-amzn-apigateway-identity': JSON.stringify({ userArn: principal }),
  'x-amz-user-arn': principal,
  userArn: principal,
  'x-apigateway-event': JSON.stringify({ requestContext: { identity: { userArn: principal } } }),
  'x-amz-cf-id': principal,
};

/** Who the log of the function says has made the request. */
async function operatorInLog({ headers }: Answer): Promise<string | undefined> {
  const folder = join(dataDir, 'logs');
  const file = (await readdir(folder)).find((name) => name.includes('ControlPlane-Control')) ?? '';
  const line = async () =>
    (await readFile(join(folder, file), 'utf8'))
      .split('\n')
      .find((text) => text.includes(String(headers['x-request-id'])));
  await expect.poll(line, { timeout: 10_000 }).toBeDefined();
  return /"operatorId":"([^"]*)"/.exec((await line()) ?? '')?.[1];
}

describe('the control plane with AWS credentials', () => {
  test.each([
    ['default', /^arn:aws:iam::\d{12}:user\/local-operator$/],
    ['role', /^arn:aws:sts::\d{12}:assumed-role\/local-operator\/session$/],
  ])('answers whoever may invoke it, and knows who that is: profile %s', async (profile, arn) => {
    const answer = await signedGet('/tenants?plan=pro&limit=100', { profile });
    expect(answer.status, answer.text).toBe(200);
    expect(field(answer.json, 'items')).toContainEqual(expect.objectContaining({ tenantId: 'globex' }));
    expect(await operatorInLog(answer)).toMatch(arn);
  });

  test('answers curl, which signs by its own code', async ({ skip }) => {
    const { stdout: version } = await promisify(execFile)('curl', ['--version']).catch(() => ({ stdout: '' }));
    if (!/curl ([89]|7\.(7[5-9]|[89]))/.test(version)) skip('There is no curl that knows --aws-sigv4.');
    const { accessKeyId, secretAccessKey } = await credentialsOf('default')();
    const { stdout } = await promisify(execFile)('curl', [
      ...['-s', '--aws-sigv4', `aws:amz:${region}:execute-api`, '--user', `${accessKeyId}:${secretAccessKey}`],
      `${stack.controlPlaneIamUrl}/tenants/acme`,
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ tenantId: 'acme' });
  });

  test('refuses a principal that no policy lets in', async () => {
    const answer = await signedGet('/tenants', { profile: 'stranger' });
    expectProblem(answer, 403, 'forbidden');
    expect(field(answer.json, 'detail')).toContain('execute-api:Invoke');
  });

  test('refuses what is not signed, as API Gateway does: 403, whatever the route', async () => {
    for (const path of ['/tenants', '/openapi.json', '/nothing']) {
      const answer = await send('GET', path, { to: stack.controlPlaneIamUrl });
      expectProblem(answer, 403, 'signature-missing');
      expect(answer.headers['x-amzn-errortype']).toBe('MissingAuthenticationTokenException');
    }
  });

  test('refuses a signature that is not of this request', async () => {
    const url = new URL('/tenants', stack.controlPlaneIamUrl);
    const headers = await awsSigner(region, credentialsOf('default'))({ method: 'GET', url, headers: {} });
    expect((await send('GET', '/tenants', { to: stack.controlPlaneIamUrl, headers })).status).toBe(200);
    const answer = await send('GET', '/tenants/acme', { to: stack.controlPlaneIamUrl, headers });
    expectProblem(answer, 403, 'signature-invalid');
    expect(answer.headers['x-amzn-errortype']).toBe('InvalidSignatureException');
  });
});

describe('nobody comes through the wrong door', () => {
  test('an operator’s token is no signature', async () => {
    expectProblem(
      await send('GET', '/tenants', { to: stack.controlPlaneIamUrl, token: operator }),
      403,
      'signature-missing',
    );
  });

  test('a signature is no token, for operators and tenants alike', async () => {
    expectProblem(await signedGet('/tenants', { to: stack.controlPlaneUrl }), 401, 'unauthorized');
    expectProblem(await signedGet('/projects', { to: stack.apiUrl }), 401, 'unauthorized');
  });

  test('headers that claim to be somebody make nobody an operator', async () => {
    expectProblem(
      await send('GET', '/tenants', { to: stack.controlPlaneIamUrl, headers: forged }),
      403,
      'signature-missing',
    );
    expectProblem(await send('GET', '/tenants', { to: stack.controlPlaneUrl, headers: forged }), 401, 'unauthorized');
    const byTenant = { token: await signToken(dataDir, { tenant: 'acme' }), headers: forged };
    expectProblem(await send('GET', '/tenants', { to: stack.controlPlaneUrl, ...byTenant }), 403, 'operator-only');
  });

  test('nor do they make an operator somebody else', async () => {
    const answer = await send('GET', '/tenants', { to: stack.controlPlaneUrl, token: operator, headers: forged });
    expect(answer.status, answer.text).toBe(200);
    expect(await operatorInLog(answer)).toBe('olga');
    const signed = await signedGet('/tenants', { headers: forged });
    expect(signed.status, signed.text).toBe(200);
    expect(await operatorInLog(signed)).toMatch(/user\/local-operator$/);
  });

  test('a token whose subject looks like a principal is nobody’s', async () => {
    const token = await signToken(dataDir, { user: principal, roles: [operatorRole] });
    expectProblem(await send('GET', '/tenants', { to: stack.controlPlaneUrl, token }), 403, 'operator-only');
  });
});

test('the credentials of the local stack are for the owner of its folder, and stand in no other file', async () => {
  expect((await stat(stack.awsCredentialsFile)).mode & 0o777).toBe(0o600);
  const { secretAccessKey } = await credentialsOf('default')();
  expect(await readFile(join(dataDir, 'stack.json'), 'utf8')).not.toContain(secretAccessKey);
});

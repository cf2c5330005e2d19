import type { APIGatewayAuthorizerResult, APIGatewayRequestAuthorizerEvent } from 'aws-lambda';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { environmentKeys } from '../../../shared/contract/index.ts';
import { newImpersonationToken } from '../../../shared/tenancy/index.ts';
import { captureJsonLines } from '../../helpers/stdout.ts';
import { startIssuer, type TestIssuer } from '../../helpers/token-issuer.ts';

let issuer: TestIssuer;
let stranger: TestIssuer;
let authorize: (authorization: string | undefined) => Promise<APIGatewayAuthorizerResult>;
let lines: Record<string, unknown>[];

beforeAll(async () => {
  [issuer, stranger] = await Promise.all([startIssuer(), startIssuer()]);
  process.env[environmentKeys.issuers] = JSON.stringify([issuer.config]);
  // It reads its configuration as it is loaded.
  const { handler } = await import('../../../functions/operator-authorizer/handler.ts');
  authorize = (authorization) =>
    handler({
      type: 'REQUEST',
      methodArn: 'arn:aws:execute-api:eu-central-1:000000000000:api/dev/GET/tenants/acme',
      headers: authorization === undefined ? {} : { authorization },
      requestContext: { requestId: 'request-1' },
    } as unknown as APIGatewayRequestAuthorizerEvent);
});
afterAll(async () => {
  await Promise.all([issuer[Symbol.asyncDispose](), stranger[Symbol.asyncDispose]()]);
});
beforeEach(() => {
  lines = captureJsonLines();
});

const operator = { sub: 'olga', tenant_id: undefined, roles: ['operator'] };
const bearer = async (claims: Record<string, unknown> = {}) =>
  `Bearer ${await issuer.sign({ ...operator, ...claims })}`;
const stage = 'arn:aws:execute-api:eu-central-1:000000000000:api/dev/*';

test('An operator is let in to the whole stage, and the functions are told who it is', async () => {
  expect(await authorize(await bearer({ roles: ['auditor', 'operator'] }))).toEqual({
    principalId: 'olga',
    policyDocument: {
      Version: '2012-10-17',
      Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: stage }],
    },
    context: { operatorId: 'olga', roles: 'auditor operator' },
  });
});

test.each<[string, Record<string, unknown>, RegExp]>([
  ['of a tenant', { tenant_id: 'acme', roles: [] }, /user of a tenant/],
  ['of a tenant with the role', { tenant_id: 'acme' }, /user of a tenant/],
  ['with a tenant that is none', { tenant_id: '' }, /user of a tenant/],
  ['with null for a tenant', { tenant_id: null }, /user of a tenant/],
  ['without the role', { roles: ['admin'] }, /lacks the role operator/],
  ['without roles', { roles: undefined }, /lacks the role operator/],
  ['with a role that only looks like it', { roles: ['Operator', 'operators', 'an operator', ['operator']] }, /lacks/],
  ['whose subject looks like an AWS principal', { sub: 'arn:aws:iam::000000000000:user/root' }, /looks like an AWS/],
  ['with roles that are no list', { roles: { operator: true } }, /lacks the role operator/],
])('A good token %s is refused with a reason', async (_, claims, reason) => {
  const { principalId, policyDocument, context } = await authorize(await bearer(claims));
  expect(principalId).toBe(claims['sub'] ?? 'olga');
  expect(policyDocument.Statement).toMatchObject([{ Effect: 'Deny', Resource: stage }]);
  expect(context).toEqual({
    errorCode: 'operator-only',
    errorTitle: 'Only operators may do this',
    errorDetail: expect.stringMatching(reason),
  });
});

test('No token, and one that is not to be trusted, is Unauthorized, in the very word that the gateway knows', async () => {
  const good = await issuer.sign(operator);
  for (const header of [
    undefined,
    '',
    good,
    `Basic ${good}`,
    `x Bearer ${good}`,
    `Bearer ${good} x`,
    `Bearer ${good}x`,
    await bearer({ exp: 1 }),
    await bearer({ client_id: 'another' }),
    await bearer({ token_use: 'id' }),
    `Bearer ${await stranger.sign(operator)}`,
    `Bearer ${newImpersonationToken()}`,
  ]) {
    await expect(authorize(header), String(header)).rejects.toThrow(/^Unauthorized$/);
  }
});

test('Blanks around the token do no harm', async () => {
  expect(await authorize(`Bearer   ${await issuer.sign(operator)}  `)).toMatchObject({ principalId: 'olga' });
});

test('Nothing of a token is logged but whose it is', async () => {
  await authorize(await bearer());
  await authorize(await bearer({ tenant_id: 'acme', note: 'a secret' }));
  await authorize(`${await bearer({ note: 'a secret' })}x`).catch(() => undefined);
  await authorize('Basic secret').catch(() => undefined);
  expect(lines).toMatchObject([
    { message: 'Refused', service: 'operator-authorizer', code: 'operator-only', userId: 'olga' },
    { message: 'Unauthorized', reason: expect.stringMatching(/^The signature/) },
    { message: 'Unauthorized', reason: 'The Authorization header is not "Bearer <token>".' },
  ]);
  expect(JSON.stringify(lines)).not.toMatch(/eyJ|acme|secret/);
});

test('When an issuer’s keys cannot be had the authorizer fails, so that the outage is neither taken nor cached as a refusal', async () => {
  await issuer.rotate();
  issuer.setOutage(true);
  const failure = await authorize(await bearer()).catch((error: unknown) => error);
  issuer.setOutage(false);
  expect(failure).toBeInstanceOf(Error);
  expect((failure as Error).message).not.toBe('Unauthorized');
  expect(lines).toMatchObject([{ level: 'ERROR', message: 'The authorizer failed' }]);
});

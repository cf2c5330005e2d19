import type { APIGatewayRequestAuthorizerEvent } from 'aws-lambda';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { handler } from '../../functions/authorizer/handler.ts';
import { SecretStore } from '../../local/secrets-manager/secret-store.ts';
import { startSecretsManager } from '../../local/secrets-manager/server.ts';
import { environmentKeys } from '../../shared/contract/index.ts';
import { type ErrorCode, errorCatalogue } from '../../shared/errors/index.ts';
import { fromAuthorizer, runWithTenant } from '../../shared/tenancy/index.ts';
import { apiEvent } from '../helpers/api-gateway.ts';
import { signingKey } from '../helpers/capability.ts';
import { captureJsonLines } from '../helpers/stdout.ts';
import { configFor, startTenantDatabase, type TestTenantDatabase } from '../helpers/tenant-database.ts';
import { startIssuer, type TestIssuer } from '../helpers/token-issuer.ts';

const secretArn = 'arn:aws:secretsmanager:eu-central-1:000000000000:secret:signing-abcdef';
let tenants: TestTenantDatabase;
let issuer: TestIssuer;
let secrets: SecretStore;
let authorizer: typeof handler;
let stopSecrets: () => Promise<void>;
let lines: Record<string, unknown>[];

beforeAll(async () => {
  [tenants, issuer] = await Promise.all([startTenantDatabase(['acme', 'umbrella']), startIssuer()]);
  secrets = SecretStore.open();
  await tenants.postgres.superuser.query(
    `update registry.tenants set api_key = 'key-of-acme', plan = 'enterprise' where tenant_id = 'acme';
     update registry.tenants set state = 'suspended' where tenant_id = 'umbrella'`,
  );
  const secret = { keyId: signingKey.keyId, secret: Buffer.from(signingKey.secret).toString() };
  await secrets.put(secretArn, JSON.stringify({ keys: [secret] }));
  const endpoint = await startSecretsManager({ secrets });
  stopSecrets = () => endpoint.stop();
  const config = configFor('authorizer', tenants.postgres.name);
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoint.url,
    [environmentKeys.clusters]: JSON.stringify(config.clusters),
    [environmentKeys.registry]: JSON.stringify(config.registry),
    [environmentKeys.signingSecretArn]: secretArn,
    [environmentKeys.issuers]: JSON.stringify([issuer.config]),
  });
  // Reads its configuration as it is loaded.
  authorizer = (await import('../../functions/authorizer/handler.ts')).handler;
});
afterAll(async () => {
  await stopSecrets();
  await issuer[Symbol.asyncDispose]();
  await tenants[Symbol.asyncDispose]();
});
beforeEach(() => {
  lines = captureJsonLines();
});

const authorize = (authorization: string | undefined) =>
  authorizer({
    type: 'REQUEST',
    methodArn: 'arn:aws:execute-api:eu-central-1:000000000000:api/dev/GET/projects',
    headers: authorization === undefined ? {} : { authorization },
    requestContext: { requestId: 'request-1' },
  } as unknown as APIGatewayRequestAuthorizerEvent);
const bearer = async (claims: Record<string, unknown> = {}) => `Bearer ${await issuer.sign(claims)}`;

test('A valid token is allowed, with a context by which the database serves that tenant', async () => {
  const { context, usageIdentifierKey, policyDocument } = await authorize(await bearer());
  expect(policyDocument.Statement).toMatchObject([{ Effect: 'Allow', Resource: expect.stringMatching(/\/dev\/\*$/) }]);
  expect(usageIdentifierKey).toBe('key-of-acme');
  const event = apiEvent({ route: 'GET /projects', authorizer: context as Record<string, string> });
  const tenant = await fromAuthorizer()(event);
  expect(tenant).toMatchObject({ tenantId: 'acme', plan: 'enterprise', userId: 'ann', roles: ['admin'] });
  await runWithTenant(tenant, () => tenants.db.insertInto('projects').values({ name: 'Apollo' }).execute());
  const rows = await tenants.postgres.superuser.query('select tenant_id, name from pool.projects');
  expect(rows.rows).toEqual([{ tenant_id: 'acme', name: 'Apollo' }]);
});

test.each<[string, Record<string, unknown>, ErrorCode]>([
  ['a missing claim', { tenant_id: undefined }, 'tenant-claim-missing'],
  ['an unknown tenant', { tenant_id: 'nobody' }, 'tenant-unknown'],
  ['a suspended tenant', { tenant_id: 'umbrella' }, 'tenant-suspended'],
])('A valid token with %s is denied with a reason', async (_, claims, errorCode) => {
  const result = await authorize(await bearer(claims));
  expect(result.policyDocument.Statement).toMatchObject([
    { Effect: 'Deny', Resource: expect.stringMatching(/\/dev\/\*$/) },
  ]);
  expect(result.context).toEqual({
    errorCode,
    errorTitle: errorCatalogue[errorCode].title,
    errorDetail: expect.stringMatching(/^[A-Z].*\.$/),
  });
  expect(result).not.toHaveProperty('usageIdentifierKey');
});

test('Anything that is no valid bearer token is Unauthorized, in the very word that the gateway knows', async () => {
  const token = await issuer.sign();
  const expired = await bearer({ exp: 1 });
  for (const header of [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    token,
    `Basic ${token}`,
    `Bearer ${token} x`,
    `Bearer ${token}x`,
    expired,
  ]) {
    await expect(authorize(header), String(header)).rejects.toThrow(/^Unauthorized$/);
  }
});

test('Tokens and capabilities are not logged', async () => {
  const header = await bearer();
  await authorize(header);
  await authorize(`${header}x`).catch(() => undefined);
  await authorize(await bearer({ tenant_id: 'nobody' }));
  expect(lines.map(({ message }) => message)).toEqual(['Unauthorized', 'Refused']);
  expect(JSON.stringify(lines)).not.toMatch(/eyJ|v1\.k1/);
});

test('When the registry cannot be asked the authorizer fails, so that the outage is neither taken nor cached as a refusal', async () => {
  const { owner } = tenants.postgres;
  await owner.query('alter table registry.tenants rename to elsewhere');
  const failure = await authorize(await bearer()).catch((error: unknown) => error);
  await owner.query('alter table registry.elsewhere rename to tenants');
  expect(failure).toBeInstanceOf(Error);
  expect((failure as Error).message).not.toBe('Unauthorized');
  expect(lines.filter(({ level }) => level === 'ERROR')).toHaveLength(1);
  expect(await authorize(await bearer())).toMatchObject({ principalId: 'ann' });
});

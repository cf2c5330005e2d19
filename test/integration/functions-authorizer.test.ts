import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ErrorCode, errorCatalogue } from '../../shared/errors/index.ts';
import { fromAuthorizer, runWithTenant } from '../../shared/tenancy/index.ts';
import { apiEvent } from '../helpers/api-gateway.ts';
import { startAuthorizer, type TestAuthorizer } from '../helpers/authorizer.ts';
import { captureJsonLines } from '../helpers/stdout.ts';
import type { TestTenantDatabase } from '../helpers/tenant-database.ts';
import type { TestIssuer } from '../helpers/token-issuer.ts';

let authorizer: TestAuthorizer;
let tenants: TestTenantDatabase;
let issuer: TestIssuer;
let lines: Record<string, unknown>[];

beforeAll(async () => {
  authorizer = await startAuthorizer(['acme', 'umbrella']);
  ({ tenants, issuer } = authorizer);
  await tenants.postgres.superuser.query(
    `update registry.tenants set api_key = 'key-of-acme', plan = 'enterprise' where tenant_id = 'acme';
     update registry.tenants set state = 'suspended' where tenant_id = 'umbrella'`,
  );
});
afterAll(() => authorizer[Symbol.asyncDispose]());
beforeEach(() => {
  lines = captureJsonLines();
});

const authorize = (authorization: string | undefined) => authorizer.authorize(authorization);
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

test('A tenant has the limits of its own that the registry says, and the authorizer fails on what is none', async () => {
  const { owner, superuser } = tenants.postgres;
  const setLimits = (limits: object | null) =>
    superuser.query(`update registry.tenants set limits = $1 where tenant_id = 'acme'`, [limits]);
  const contextOf = async () => (await authorize(await bearer())).context as Record<string, string>;
  expect(await contextOf()).not.toHaveProperty('limits');
  await setLimits({ burst: 5 });
  const event = apiEvent({ route: 'GET /projects', authorizer: await contextOf() });
  expect((await fromAuthorizer()(event)).limits).toEqual({ burst: 5 });
  await setLimits({ burst: 0 });
  await expect(contextOf()).rejects.not.toThrow('Unauthorized');
  await setLimits(null);
  await expect(owner.query(`update registry.tenants set limits = '{}'`)).rejects.toThrow(/check constraint/);
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

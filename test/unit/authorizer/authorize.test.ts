import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { allow } from '../../../functions/authorizer/policy.ts';
import { authorize } from '../../../functions/authorizer/service.ts';
import { denyStage, tokenVerifier } from '../../../shared/authorizer/index.ts';
import { fromAuthorizer, mintCapability, type RegisteredTenant } from '../../../shared/tenancy/index.ts';
import { apiEvent } from '../../helpers/api-gateway.ts';
import { startIssuer, type TestIssuer } from '../../helpers/token-issuer.ts';

let issuer: TestIssuer;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer[Symbol.asyncDispose]());

const key = { keyId: 'k1', secret: new TextEncoder().encode('x'.repeat(32)) };
const placement = { model: 'pool', cluster: 'main', database: 'tenantry', schema: 'pool' } as const;
const tenants: Record<string, RegisteredTenant> = {
  acme: { tenantId: 'acme', plan: 'enterprise', state: 'active', placement, apiKey: 'key-of-acme' },
  umbrella: { tenantId: 'umbrella', plan: 'free', state: 'suspended', placement, apiKey: null },
};
const dependencies = () => ({
  verifier: tokenVerifier([issuer.config]),
  findTenant: async (id: string) => (Object.hasOwn(tenants, id) ? tenants[id] : undefined),
  signingKey: async () => key,
});
const decide = async (claims: Record<string, unknown> = {}) => authorize(await issuer.sign(claims), dependencies());
const methodArn = 'arn:aws:execute-api:eu-central-1:123456789012:api-id/dev/GET/projects/42';
const expiryOf = (capability: string) => Number(capability.split('.')[3]);

test('A token of an active tenant is let in, with a capability that the kernel can verify', async () => {
  const decision = await decide();
  expect(decision).toMatchObject({
    allowed: true,
    apiKey: 'key-of-acme',
    tenant: { tenantId: 'acme', plan: 'enterprise', placement, userId: 'ann', roles: ['admin'] },
  });
  if (!decision.allowed) return;
  const { capability } = decision.tenant;
  expect(capability).toBe(mintCapability(key, 'acme', expiryOf(capability)));
});

test('A capability lasts as long as the gateway may replay the answer, but not longer than the token', async () => {
  const now = Math.floor(Date.now() / 1000);
  const long = await decide({ exp: now + 3600 });
  const short = await decide({ exp: now + 30 });
  if (!long.allowed || !short.allowed) throw new Error('Both should be let in.');
  expect(expiryOf(long.tenant.capability)).toBeGreaterThanOrEqual(now + 360);
  expect(expiryOf(long.tenant.capability)).toBeLessThanOrEqual(now + 370);
  expect(expiryOf(short.tenant.capability)).toBe(now + 30);
});

test.each([
  ['is missing', undefined, 'tenant-claim-missing'],
  ['is a list', ['acme'], 'tenant-claim-missing'],
  ['is nested', { id: 'acme' }, 'tenant-claim-missing'],
  ['is a number', 42, 'tenant-claim-missing'],
  ['is empty', '', 'tenant-claim-missing'],
  ['is in upper case', 'ACME', 'tenant-claim-missing'],
  ['has blanks', ' acme', 'tenant-claim-missing'],
  ['has a line feed', 'acme\n', 'tenant-claim-missing'],
  ['is SQL', "acme' or '1'='1", 'tenant-claim-missing'],
  ['is too long', 'a'.repeat(41), 'tenant-claim-missing'],
  ['names an unknown tenant', 'nobody', 'tenant-unknown'],
  ['names a property of all objects', 'constructor', 'tenant-unknown'],
  ['names a suspended tenant', 'umbrella', 'tenant-suspended'],
])('A tenant claim that %s is refused with a reason', async (_, claim, code) => {
  expect(await decide({ tenant_id: claim })).toMatchObject({ allowed: false, code });
});

test.each([
  [
    ['admin', 'member'],
    ['admin', 'member'],
  ],
  ['admin member', ['admin', 'member']],
  [['admin operator', 1, null, '', 'member'], ['member']],
  [{ admin: true }, []],
  [undefined, []],
])('Of the roles claim %j the names %j count', async (claim, roles) => {
  expect(await decide({ roles: claim })).toMatchObject({ allowed: true, tenant: { roles: [...roles] } });
});

test.each(['findTenant', 'signingKey'] as const)(
  'When %s fails the authorizer fails, instead of refusing',
  async (dependency) => {
    const outage = async () => {
      throw new Error('outage');
    };
    const token = await issuer.sign();
    await expect(authorize(token, { ...dependencies(), [dependency]: outage })).rejects.toThrow('outage');
  },
);

test('Allow and Deny cover the whole stage, whatever route was called first', async () => {
  const decision = await decide();
  if (!decision.allowed) throw new Error('It should be let in.');
  const resource = 'arn:aws:execute-api:eu-central-1:123456789012:api-id/dev/*';
  expect(allow(methodArn, decision.tenant, decision.apiKey)).toMatchObject({
    principalId: 'ann',
    policyDocument: { Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: resource }] },
    usageIdentifierKey: 'key-of-acme',
  });
  expect(allow(methodArn, decision.tenant, null)).not.toHaveProperty('usageIdentifierKey');
  expect(denyStage(methodArn, { userId: 'ann', code: 'tenant-suspended', detail: 'Why.' })).toEqual({
    principalId: 'ann',
    policyDocument: {
      Version: '2012-10-17',
      Statement: [{ Action: 'execute-api:Invoke', Effect: 'Deny', Resource: resource }],
    },
    context: { errorCode: 'tenant-suspended', errorTitle: 'The tenant is suspended', errorDetail: 'Why.' },
  });
});

test('Whatever a refusal says, the gateway can paste it between the quotes of a JSON text', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom('"', '\\', '\n', '\0', 'a') })),
      (detail) => {
        const { context } = denyStage(methodArn, { userId: 'ann', code: 'tenant-suspended', detail });
        expect(JSON.parse(`"${String(context?.errorDetail)}"`)).toBe(detail);
      },
    ),
  );
});

test('What the authorizer says is what functions understand, and the gateway can carry it', async () => {
  const decision = await decide({ roles: ['admin', 'member'] });
  if (!decision.allowed) throw new Error('It should be let in.');
  const context = allow(methodArn, decision.tenant, decision.apiKey).context ?? {};
  for (const value of Object.values(context)) expect(typeof value).toBe('string');
  const event = apiEvent({ route: 'GET /projects', authorizer: context as Record<string, string> });
  expect(await fromAuthorizer()(event)).toEqual(decision.tenant);
});

import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { allow } from '../../../functions/authorizer/policy.ts';
import { authorize } from '../../../functions/authorizer/service.ts';
import { denyStage, InvalidTokenError, tokenVerifier } from '../../../shared/authorizer/index.ts';
import {
  fromAuthorizer,
  hashImpersonationToken,
  mintCapability,
  newImpersonationToken,
  type RegisteredImpersonation,
  type RegisteredTenant,
} from '../../../shared/tenancy/index.ts';
import { apiEvent } from '../../helpers/api-gateway.ts';
import { startIssuer, type TestIssuer } from '../../helpers/token-issuer.ts';

let issuer: TestIssuer;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer[Symbol.asyncDispose]());

const key = { keyId: 'k1', secret: new TextEncoder().encode('x'.repeat(32)) };
const impersonationToken = (letter: string) => `tni_${letter.repeat(43)}`;
const placement = { model: 'pool', cluster: 'main', database: 'tenantry', schema: 'pool' } as const;
const tenants: Record<string, RegisteredTenant> = {
  acme: { tenantId: 'acme', plan: 'enterprise', limits: null, state: 'active', placement, apiKey: 'key-of-acme' },
  umbrella: { tenantId: 'umbrella', plan: 'free', limits: null, state: 'suspended', placement, apiKey: null },
  hooli: { tenantId: 'hooli', plan: 'pro', limits: null, state: 'onboarding', placement, apiKey: null },
  globex: { tenantId: 'globex', plan: 'pro', limits: { burst: 5 }, state: 'active', placement, apiKey: null },
};
/** By the letter that its token is made of. */
const impersonations: Record<string, RegisteredImpersonation> = Object.fromEntries(
  (
    [
      ['a', { tenant: tenants['acme'] }],
      ['b', { tenant: tenants['umbrella'] }],
      ['c', { tenant: undefined }],
      ['d', { tenant: tenants['acme'], over: 'ended' }],
      ['e', { tenant: tenants['acme'], over: 'expired' }],
      ['f', { tenant: tenants['acme'], expiresAt: Math.floor(Date.now() / 1000) + 60 }],
    ] as const
  ).map(([letter, changes]) => [
    hashImpersonationToken(impersonationToken(letter)) ?? '',
    { id: `id-of-${letter}`, actor: 'olga', expiresAt: Math.floor(Date.now() / 1000) + 3600, over: null, ...changes },
  ]),
);
const dependencies = () => ({
  verifier: tokenVerifier([issuer.config]),
  findTenant: async (id: string) => (Object.hasOwn(tenants, id) ? tenants[id] : undefined),
  findImpersonation: async (hash: string) => (Object.hasOwn(impersonations, hash) ? impersonations[hash] : undefined),
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
  ['names a tenant that is not there yet', 'hooli', 'tenant-suspended'],
])('A tenant claim that %s is refused with a reason', async (_, claim, code) => {
  expect(await decide({ tenant_id: claim })).toMatchObject({ allowed: false, code });
});

test('Who is refused is told whether to try again or to ask', async () => {
  expect(await decide({ tenant_id: 'hooli' })).toMatchObject({
    detail: expect.stringMatching(/try again in a moment/),
  });
  expect(await decide({ tenant_id: 'umbrella' })).toMatchObject({ detail: expect.stringMatching(/Ask the operator/) });
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

test.each(['', '/', 'api-id', 'api-id/', '/dev/GET/projects'])(
  'Nobody is let in, nor kept out, by a method ARN that names no stage: "%s"',
  async (arn) => {
    const decision = await decide();
    if (!decision.allowed) throw new Error('It should be let in.');
    expect(() => allow(arn, decision.tenant, null)).toThrow(/names no stage/);
    expect(() => denyStage(arn, { userId: 'ann', code: 'tenant-suspended', detail: 'Why.' })).toThrow(/names no stage/);
  },
);

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

test('The functions get limits of a tenant that has some of its own, and of others none', async () => {
  const contextOf = async (tenantId: string) => {
    const decision = await decide({ tenant_id: tenantId });
    if (!decision.allowed) throw new Error('It should be let in.');
    const { context = {} } = allow(methodArn, decision.tenant, decision.apiKey);
    expect(
      await fromAuthorizer()(apiEvent({ route: 'GET /projects', authorizer: context as Record<string, string> })),
    ).toEqual(decision.tenant);
    return context;
  };
  expect(await contextOf('globex')).toMatchObject({ limits: '{"burst":5}' });
  expect(await contextOf('acme')).not.toHaveProperty('limits');
});

test('An operator who acts for a tenant is let in as that, with the tenant’s key and no roles, and no longer than it was granted', async () => {
  const long = await authorize(impersonationToken('a'), dependencies());
  const short = await authorize(impersonationToken('f'), dependencies());
  if (!long.allowed || !short.allowed) throw new Error('Both should be let in.');
  expect(long).toMatchObject({
    apiKey: 'key-of-acme',
    tenant: { tenantId: 'acme', userId: 'operator:olga', roles: [], impersonation: { id: 'id-of-a', actor: 'olga' } },
  });
  const now = Math.floor(Date.now() / 1000);
  expect(expiryOf(long.tenant.capability)).toBeLessThanOrEqual(now + 370);
  expect(expiryOf(short.tenant.capability)).toBeLessThanOrEqual(now + 60);
});

test.each([
  ['of a suspended tenant', 'b', 'tenant-suspended'],
  ['of a tenant that is gone', 'c', 'tenant-unknown'],
])('An impersonation %s is refused with a reason', async (_, letter, code) => {
  expect(await authorize(impersonationToken(letter), dependencies())).toMatchObject({
    allowed: false,
    userId: 'operator:olga',
    code,
  });
});

test.each([
  ['that was ended', impersonationToken('d')],
  ['that has expired', impersonationToken('e')],
  ['that there is not', newImpersonationToken()],
  ['whose token is too short', 'tni_a'],
  ['whose token is too long', `${impersonationToken('a')}a`],
  ['whose token has other letters', `tni_${'.'.repeat(43)}`],
])('An impersonation %s is not let in', async (_, token) => {
  await expect(authorize(token, dependencies())).rejects.toThrow(InvalidTokenError);
});

test.each(['tni_', 'tni_a', `tni_${'.'.repeat(43)}`])(
  'The registry is not asked for an impersonation of the token %s',
  async (token) => {
    const findImpersonation = () => Promise.reject(new Error('It was asked.'));
    const decision = authorize(token, { ...dependencies(), findImpersonation });
    await expect(decision).rejects.toThrow(InvalidTokenError);
  },
);

test('When the registry cannot be asked for an impersonation the authorizer fails, instead of refusing', async () => {
  const findImpersonation = () => Promise.reject(new Error('outage'));
  await expect(authorize(impersonationToken('a'), { ...dependencies(), findImpersonation })).rejects.toThrow('outage');
});

test.each(['olga', 'arn:aws:sts::1:assumed-role/ops/olga', 'o"l\\g,a"}\n', 'Ölga\u2028'])(
  'Functions learn who acts for the tenant, also of a name that needs escapes: %j',
  async (actor) => {
    const decision = await authorize(impersonationToken('a'), {
      ...dependencies(),
      findImpersonation: async () => ({
        id: '0199f0f0-0000-7000-8000-000000000000',
        actor,
        expiresAt: Math.floor(Date.now() / 1000) + 60,
        over: null,
        tenant: tenants['acme'],
      }),
    });
    if (!decision.allowed) throw new Error('It should be let in.');
    const context = allow(methodArn, decision.tenant, decision.apiKey).context as Record<string, string>;
    expect(JSON.parse(`"${String(context['actor'])}"`)).toBe(actor);
    expect(await fromAuthorizer()(apiEvent({ route: 'GET /projects', authorizer: context }))).toEqual(decision.tenant);
  },
);

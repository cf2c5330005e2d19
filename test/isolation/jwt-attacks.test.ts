import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { hashImpersonationToken, newImpersonationToken } from '../../shared/tenancy/index.ts';
import { startAuthorizer, type TestAuthorizer } from '../helpers/authorizer.ts';
import { captureJsonLines } from '../helpers/stdout.ts';
import { attackersKeys, type Attack, type Forge, honest, now } from './jwt-attacks/attack.ts';
import { claimAttacks, tenantAttacks } from './jwt-attacks/claims.ts';
import { impersonationAttacks, operatorClaims } from './jwt-attacks/impersonations.ts';
import { keyAttacks } from './jwt-attacks/keys.ts';
import { shapeAttacks } from './jwt-attacks/shapes.ts';
import { timeAttacks } from './jwt-attacks/times.ts';
import { useAttacks } from './jwt-attacks/uses.ts';

/** Tokens that somebody sends who wants in, or in elsewhere, through the authorizer as it is deployed. */
let authorizer: TestAuthorizer;
let forge: Forge;
let lines: Record<string, unknown>[];
let asked = 0;

/** Would answer with the attacker's keys. */
const attackersServer = createServer((_, response) => {
  asked += 1;
  const key = { ...attackersKeys.rsa.publicKey.export({ format: 'jwk' }), kid: 'evil', alg: 'RS256', use: 'sig' };
  response.end(JSON.stringify({ keys: [key] }));
});

/** Lets an operator act for a tenant. @returns the token */
async function impersonation(tenantId: string, changes = 'reason = reason'): Promise<string> {
  const { superuser } = authorizer.tenants.postgres;
  const token = newImpersonationToken();
  const { rows } = await superuser.query<{ id: string }>(
    `insert into registry.impersonations (id, tenant_id, actor, reason, token_hash, expires_at)
     values (gen_random_uuid(), $1, 'olga', 'why', decode($2, 'hex'), now() + interval '10 minutes') returning id`,
    [tenantId, hashImpersonationToken(token)],
  );
  await superuser.query(`update registry.impersonations set ${changes} where id = $1`, [rows[0]?.id]);
  return token;
}

beforeAll(async () => {
  await new Promise<void>((resolve) => attackersServer.listen(0, '127.0.0.1', resolve));
  authorizer = await startAuthorizer(['acme', 'globex', 'umbrella']);
  await authorizer.tenants.postgres.superuser.query(
    `update registry.tenants set state = 'suspended' where tenant_id = 'umbrella'`,
  );
  const { port } = attackersServer.address() as AddressInfo;
  const impersonations = {
    live: await impersonation('acme'),
    ended: await impersonation('acme', 'ended_at = now()'),
    expired: await impersonation('acme', `created_at = now() - interval '1 hour', expires_at = now()`),
    suspended: await impersonation('umbrella'),
  };
  const { issuer, others } = authorizer;
  forge = { impersonations, issuer, others, attackersUrl: `http://127.0.0.1:${port}/jwks.json` };
});
afterAll(async () => {
  attackersServer.close();
  await authorizer[Symbol.asyncDispose]();
});
beforeEach(() => {
  lines = captureJsonLines();
});

/** What the authorizer says, in the words of the tables. */
async function answerTo(token: string): Promise<string> {
  const result = await authorizer.authorize(`Bearer ${token}`).catch((error: unknown) => error as Error);
  if (result instanceof Error) return result.message;
  const [statement] = result.policyDocument.Statement;
  return statement?.Effect === 'Allow' ? 'allowed' : String(result.context?.['errorCode']);
}

/** Texts of a token that its maker has chosen: its parts, what they stand for, and the longer values in there. */
function textsOf(token: string): string[] {
  const parts = token.split('.');
  const decoded = parts.slice(0, 2).map((part) => Buffer.from(part, 'base64url').toString());
  const values = decoded.flatMap((text) =>
    [...text.matchAll(/"((?:[^"\\]|\\.)*)"(\s*:)?/g)].flatMap(([, value = '', colon]) => (colon ? [] : [value])),
  );
  return [...parts, ...decoded, ...values].filter((text) => text.length >= 8);
}

const expectNothingLogged = (token: string): void => {
  const log = JSON.stringify(lines);
  const found = textsOf(token).filter((text) => log.includes(text.slice(0, 40)));
  expect(found, log).toEqual([]);
};

async function expectAnswer({ token: make, answer }: Attack): Promise<void> {
  const token = await make(forge);
  expect(await answerTo(token)).toBe(answer);
  expectNothingLogged(token);
  expect(lines.filter(({ level }) => level === 'ERROR')).toEqual([]);
}

const tables: Readonly<Record<string, Readonly<Record<string, Attack>>>> = {
  'a key of its own': keyAttacks,
  'claims that are not for us': claimAttacks,
  'a tenant that it cannot name': tenantAttacks,
  'a shape of its own': shapeAttacks,
  'a use of its own': useAttacks,
  'an impersonation': impersonationAttacks,
};

describe.each(Object.entries(tables))('a token with %s', (_, attacks) => {
  test.each(Object.entries(attacks))(
    'gets the answer that it has to, and nothing of it is logged: %s',
    async (_name, attack) => {
      await expectAnswer(attack);
    },
  );
});

describe('while the clock stands still, a token with', () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ['Date'], now: now() * 1000 }));
  afterEach(() => vi.useRealTimers());

  test.each(Object.entries(timeAttacks))('%s is taken or refused to the second', async (_name, attack) => {
    await expectAnswer(attack);
  });
});

test.each(operatorClaims)('A user of a tenant stays one, whatever the token claims: %j', async (claims) => {
  const { context } = await authorizer.authorize(`Bearer ${honest(claims)(forge)}`);
  expect(context).toMatchObject({ tenantId: 'acme' });
  expect(Object.keys(context ?? {})).not.toContain('actor');
  expect(Object.keys(context ?? {})).not.toContain('impersonationId');
});

test('An operator who acts for a tenant is known as one, and gets no role of the tenant by it', async () => {
  const { context } = await authorizer.authorize(`Bearer ${forge.impersonations.live}`);
  expect(context).toMatchObject({ tenantId: 'acme', actor: 'olga', userId: 'operator:olga', roles: '' });
});

test('Every trusted issuer can name every tenant', async () => {
  const { typed, unmarked } = forge.others;
  for (const tenant of ['acme', 'globex'])
    for (const token of [
      await typed.sign({ aud: 'https://api.example.com', tenant_id: tenant }, { typ: 'at+jwt' }),
      await unmarked.sign({ aud: 'https://api.example.com', tenant_id: tenant }),
    ])
      expect((await authorizer.authorize(`Bearer ${token}`)).context).toMatchObject({ tenantId: tenant });
});

test('The attacker was asked for no key, and an honest token is let in all the same', async () => {
  expect(await answerTo(honest()(forge))).toBe('allowed');
  expect(asked).toBe(0);
});

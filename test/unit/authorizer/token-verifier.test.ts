import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { InvalidTokenError, rolesOf, tokenVerifier } from '../../../shared/authorizer/index.ts';
import { refusalReason } from '../../../shared/authorizer/refusal-reasons.ts';
import { startIssuer, type TestIssuer } from '../../helpers/token-issuer.ts';

let first: TestIssuer;
let second: TestIssuer;
let stranger: TestIssuer;
beforeAll(async () => {
  first = await startIssuer();
  second = await startIssuer({ audienceClaim: 'aud', audience: ['api'], tokenUse: 'at+jwt', tenantClaim: 'org' });
  stranger = await startIssuer();
});
afterAll(async () => {
  await Promise.all([first, second, stranger].map((issuer) => issuer[Symbol.asyncDispose]()));
});

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = () => Math.floor(Date.now() / 1000);
const both = () => tokenVerifier([first.config, second.config]);

test('Tokens of several issuers are verified, each by the rules of its own', async () => {
  const verifier = both();
  const ofFirst = await verifier.verify(await first.sign());
  expect(ofFirst).toMatchObject({ claims: { sub: 'ann', tenant_id: 'acme' }, issuer: { tenantClaim: 'tenant_id' } });
  const ofSecond = await verifier.verify(
    await second.sign({ aud: ['other', 'api'], org: 'globex' }, { typ: 'at+jwt' }),
  );
  expect(ofSecond).toMatchObject({ claims: { org: 'globex' }, issuer: { tenantClaim: 'org' } });
});

const refused: Record<string, () => Promise<string> | string> = {
  'no token': () => '',
  'no JWT': () => 'abc',
  'two parts': async () => (await first.sign()).split('.').slice(0, 2).join('.'),
  'a signature that is cut off': async () => (await first.sign()).slice(0, -20),
  'a signature of another key': async () => {
    const [header, payload] = (await first.sign()).split('.');
    return `${header}.${payload}.${(await first.sign({ sub: 'bob' })).split('.')[2]}`;
  },
  'claims that were changed': async () => {
    const [header, payload = '', signature] = (await first.sign()).split('.');
    const claims: object = JSON.parse(Buffer.from(payload, 'base64url').toString());
    return `${header}.${encode({ ...claims, tenant_id: 'globex' })}.${signature}`;
  },
  'alg none': async () => {
    const payload = (await first.sign()).split('.')[1];
    return `${encode({ alg: 'none', kid: 'key-1' })}.${payload}.`;
  },
  'alg none with a signature': async () => {
    const [, payload, signature] = (await first.sign()).split('.');
    return `${encode({ alg: 'none', kid: 'key-1' })}.${payload}.${signature}`;
  },
  'HS256 signed with the public key': async () => {
    const content = `${encode({ alg: 'HS256', kid: 'key-1' })}.${(await first.sign()).split('.')[1]}`;
    return `${content}.${createHmac('sha256', first.publicKeyPem).update(content).digest('base64url')}`;
  },
  'an issuer that is not trusted': () => stranger.sign(),
  'the name of a trusted issuer, signed by another': () => stranger.sign({ iss: first.config.issuer }),
  'no issuer': () => first.sign({ iss: undefined }),
  'another client': () => first.sign({ client_id: 'client-2' }),
  'no client': () => first.sign({ client_id: undefined }),
  'a list of clients': () => first.sign({ client_id: ['client-1', 'client-2'] }),
  'the audience of another issuer': () => second.sign({ aud: 'client-1' }, { typ: 'at+jwt' }),
  'no audience': () => second.sign({}, { typ: 'at+jwt' }),
  'no word that it is an access token': () => second.sign({ aud: 'api' }),
  'an id token': () => first.sign({ token_use: 'id' }),
  'no token use': () => first.sign({ token_use: undefined }),
  'an expiry that has passed': () => first.sign({ exp: now() - 1 }),
  'no expiry': () => first.sign({ exp: undefined }),
  'no user': () => first.sign({ sub: undefined }),
  'an empty user': () => first.sign({ sub: '' }),
  'a start that is no time': () => first.sign({ nbf: 1e15 }),
  'a start in the future': () => first.sign({ nbf: now() + 60 }),
  'an unknown key': () => first.sign({}, { kid: 'key-99' }),
  'a critical extension that nobody here knows': () =>
    first.sign({}, { crit: ['http://example.com/x'], 'http://example.com/x': 1 }),
  'no key id': () => first.sign({}, { kid: undefined } as never),
};

test.each(Object.entries(refused))('A token with %s is not trusted', async (_, token) => {
  await expect(both().verify(await token())).rejects.toBeInstanceOf(InvalidTokenError);
});

test.each<[keyof typeof refused, string]>([
  ['no JWT', 'The token is no JWT.'],
  ['an expiry that has passed', 'The token has expired.'],
  ['a start in the future', 'The token is not valid yet.'],
  ['a start that is no time', 'The token has a time that is none.'],
  ['an issuer that is not trusted', 'The issuer of the token is not trusted.'],
  ['the audience of another issuer', 'The audience of the token is not ours.'],
  ['a signature of another key', 'The signature of the token is not that of its key.'],
  ['no key id', 'The token names no key.'],
  ['an unknown key', 'The issuer has no such key as the token names.'],
  ['another client', 'The client_id is not one of ours.'],
  ['an id token', 'The token is no access token, by access.'],
])('For the log, a token with %s is refused in words of our own', async (kind, reason) => {
  await expect(both().verify((await refused[kind]?.()) ?? '')).rejects.toThrow(reason);
});

test.each([new RangeError('out of range'), new Error('Invalid time value'), 'no error'])(
  'What is not the fault of a token is no refusal: %s',
  (error) => {
    expect(refusalReason(error)).toBeUndefined();
  },
);

test('The keys of an issuer may be somewhere else than the issuer says it is', async () => {
  const issuer = 'https://issuer.example';
  const verifier = tokenVerifier([{ ...first.config, issuer, jwksUri: `${first.config.issuer}/keys` }]);
  await expect(verifier.verify(await first.sign({ iss: issuer }))).resolves.toMatchObject({ userId: 'ann' });
  await expect(verifier.verify(await stranger.sign({ iss: issuer }))).rejects.toBeInstanceOf(InvalidTokenError);
});

test('One trusted issuer refuses the tokens of others just the same', async () => {
  const verifier = tokenVerifier([first.config]);
  await expect(verifier.verify(await stranger.sign())).rejects.toBeInstanceOf(InvalidTokenError);
  await expect(verifier.verify(await first.sign())).resolves.toBeDefined();
});

test('Keys are fetched once for many tokens, and again when a new key signs', async () => {
  await using issuer = await startIssuer();
  const verifier = tokenVerifier([issuer.config]);
  await verifier.hydrate();
  for (let at = 0; at < 5; at += 1) await verifier.verify(await issuer.sign());
  expect(issuer.requests()).toBe(1);
  await issuer.rotate();
  await expect(verifier.verify(await issuer.sign())).resolves.toBeDefined();
  expect(issuer.requests()).toBe(2);
});

const rsa = { kty: 'RSA', kid: 'key-1', alg: 'RS256', use: 'sig', n: 'AQAB', e: 'AQAB' };

test.each<[string, number, unknown]>([
  ['is none', 200, {}],
  ['is for encrypting', 200, { keys: [{ ...rsa, use: 'enc' }] }],
  ['is of no kind that signs', 200, { keys: [{ ...rsa, kty: 'oct' }] }],
  ['lies behind a redirection', 302, {}],
])('When the key of the issuer %s it is not the token that is at fault', async (_, status, body) => {
  const server = createServer((_request, response) => {
    response.writeHead(status, status === 302 ? { location: `${first.config.issuer}/keys` } : {});
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = 'https://issuer.example';
  const jwksUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  const verifier = tokenVerifier([{ ...first.config, issuer, jwksUri }]);
  const failure = await verifier.verify(await first.sign({ iss: issuer })).catch((error: unknown) => error);
  server.close();
  server.closeAllConnections();
  expect(failure).toBeInstanceOf(Error);
  expect(failure).not.toBeInstanceOf(InvalidTokenError);
});

test('An issuer of which nobody said where its roles are grants none', async () => {
  const verified = await both().verify(await first.sign({ undefined: ['operator'] }));
  const { rolesClaim, ...issuer } = verified.issuer;
  expect(rolesClaim).toBe('roles');
  expect(rolesOf(verified)).toEqual(['admin']);
  expect(rolesOf({ ...verified, issuer })).toEqual([]);
});

test('When the keys cannot be fetched it is not the token that is at fault, and it recovers', async () => {
  await using issuer = await startIssuer();
  const verifier = tokenVerifier([issuer.config]);
  issuer.setOutage(true);
  await expect(verifier.hydrate()).rejects.toThrow();
  const failure = await verifier.verify(await issuer.sign()).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(Error);
  expect(failure).not.toBeInstanceOf(InvalidTokenError);
  issuer.setOutage(false);
  await expect(verifier.verify(await issuer.sign())).resolves.toBeDefined();
});

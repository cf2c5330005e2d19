import { type Attack, claimsOf, type Forge, honest, now } from './attack.ts';

const refused = (claims: () => object): Attack => ({
  token: (forge) => honest(claims())(forge),
  answer: 'Unauthorized',
});
const ofIssuer = (change: (issuer: string) => unknown): Attack => ({
  token: (forge) => honest({ iss: change(forge.issuer.config.issuer) })(forge),
  answer: 'Unauthorized',
});
/** Signed by the issuer: claims as a text, so that they can be there twice. */
const twice = (name: string, first: unknown, second: unknown) => (forge: Forge) => {
  const claims = JSON.stringify(claimsOf(forge, { [name]: first }));
  return forge.issuer.signText(
    '{"alg":"RS256","kid":"key-1"}',
    `${claims.slice(0, -1)},"${name}":${JSON.stringify(second)}}`,
  );
};

/** Tokens that the issuer has signed, for somebody or some time else. */
export const claimAttacks: Readonly<Record<string, Attack>> = {
  'an ID token': refused(() => ({ token_use: 'id', aud: 'client-1', client_id: undefined })),
  'an ID token with the client of an access token': refused(() => ({ token_use: 'id', aud: 'client-1' })),
  'no token use': refused(() => ({ token_use: undefined })),
  'a list of token uses': refused(() => ({ token_use: ['access', 'id'] })),
  'another client': refused(() => ({ client_id: 'client-2' })),
  'a list of clients': refused(() => ({ client_id: ['client-1'] })),
  'a client in upper case': refused(() => ({ client_id: 'CLIENT-1' })),
  'the client as its audience alone': refused(() => ({ client_id: undefined, aud: 'client-1' })),
  'no issuer': ofIssuer(() => undefined),
  'a list of issuers': ofIssuer((issuer) => [issuer]),
  'an issuer with a slash behind it': ofIssuer((issuer) => `${issuer}/`),
  'an issuer in upper case': ofIssuer((issuer) => issuer.toUpperCase()),
  'an issuer that begins like ours': ofIssuer((issuer) => `${issuer}.example.com`),
  'an issuer that has ours as its user': ofIssuer((issuer) => `${issuer}@example.com`),
  'an issuer that every object has': ofIssuer(() => '__proto__'),
  'two issuers': {
    token: twice('iss', 'https://issuer.example.com', 'https://other.example.com'),
    answer: 'Unauthorized',
  },
  'no user': refused(() => ({ sub: undefined })),
  'an empty user': refused(() => ({ sub: '' })),
  'a user that is a number': refused(() => ({ sub: 7 })),
  'a list of users': refused(() => ({ sub: ['ann'] })),
  'a user that is an object': refused(() => ({ sub: { toString: 'ann' } })),
  'an expiry of this second': refused(() => ({ exp: now() - 1 })),
  'an expiry long ago': refused(() => ({ exp: 1 })),
  'an expiry before time': refused(() => ({ exp: -1 })),
  'no expiry': refused(() => ({ exp: undefined })),
  'an expiry of null': refused(() => ({ exp: null })),
  'an expiry in words': refused(() => ({ exp: 'never' })),
  'an expiry of digits in a text': refused(() => ({ exp: String(now() + 60) })),
  'a list of expiries': refused(() => ({ exp: [now() + 60] })),
  'an expiry past all numbers': {
    token: (forge) =>
      forge.issuer.signText(
        '{"alg":"RS256","kid":"key-1"}',
        JSON.stringify(claimsOf(forge, { exp: 0 })).replace('"exp":0', '"exp":1e999'),
      ),
    answer: 'Unauthorized',
  },
  'an expiry that comes twice': { token: twice('exp', now() + 3600, 1), answer: 'Unauthorized' },
  'a start in the future': refused(() => ({ nbf: now() + 60 })),
  'a start in words': refused(() => ({ nbf: 'tomorrow' })),
  'a start past all dates': refused(() => ({ nbf: 1e300 })),
  'an expiry before all dates': refused(() => ({ exp: -1e300 })),
  'a start of null': refused(() => ({ nbf: null })),
  'a time of issue in words': refused(() => ({ iat: 'yesterday' })),
  'a start of this second': { token: (forge) => honest({ nbf: now() })(forge), answer: 'allowed' },
  'an expiry that is near': { token: (forge) => honest({ exp: now() + 30 })(forge), answer: 'allowed' },
  'two tenants, of whom the last counts': { token: twice('tenant_id', 'acme', 'umbrella'), answer: 'tenant-suspended' },
  'two tenants, a list last': { token: twice('tenant_id', 'acme', ['acme']), answer: 'tenant-claim-missing' },
  'a tenant in the prototype': {
    token: (forge) =>
      forge.issuer.signText(
        '{"alg":"RS256","kid":"key-1"}',
        JSON.stringify(claimsOf(forge, { tenant_id: undefined })).replace('{', '{"__proto__":{"tenant_id":"acme"},'),
      ),
    answer: 'tenant-claim-missing',
  },
};

const tenantClaims: Readonly<Record<string, unknown>> = {
  'is missing': undefined,
  'is null': null,
  'is a list': ['acme'],
  'is nested': { id: 'acme' },
  'makes itself a text': { toString: 'acme' },
  'is a number': 42,
  'is true': true,
  'is empty': '',
  'is in upper case': 'ACME',
  'has a dot': 'acme.umbrella',
  'forges the end of a capability': 'acme.9999999999.AAAA',
  'has a slash': 'acme/umbrella',
  climbs: '../acme',
  'has a double quote': 'acme"',
  'has a quote': "acme' or '1'='1",
  'has blanks around it': ' acme ',
  'has a line feed behind it': 'acme\n',
  'has a NUL behind it': 'acme\0',
  'has a comma': 'acme,umbrella',
  'is a wildcard': '*',
  'is an SQL wildcard': 'acm_',
  'has a Cyrillic letter': '\u0430cme',
  'has letters of full width': '\uff41\uff43\uff4d\uff45',
  'has a blank of no width': 'ac\u200bme',
  'has an accent that combines': 'acme\u0301',
  'reads from right to left': '\u202eemca',
  'has a letter that is one in lower case': 'ac\u212ae',
  'has half of a surrogate pair': 'acme\ud800',
  'begins with a digit': '1acme',
  'ends with a hyphen': 'acme-',
  'is too long': 'a'.repeat(41),
  'is longer than anything': 'a'.repeat(100_000),
  'names a property of all objects': '__proto__',
};

const unknownTenants: Readonly<Record<string, string>> = {
  'nobody has': 'nobody',
  'is a method of all objects': 'constructor',
  'looks almost like one': 'acrne',
};

/** Tokens that the issuer has signed and that name no tenant who is served. */
export const tenantAttacks: Readonly<Record<string, Attack>> = Object.fromEntries([
  ...Object.entries(tenantClaims).map(([name, claim]) => [
    `a tenant claim that ${name}`,
    { token: honest({ tenant_id: claim }), answer: 'tenant-claim-missing' },
  ]),
  ...Object.entries(unknownTenants).map(([name, claim]) => [
    `a tenant that ${name}`,
    { token: honest({ tenant_id: claim }), answer: 'tenant-unknown' },
  ]),
]) as Readonly<Record<string, Attack>>;

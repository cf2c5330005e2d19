import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { ErrorCode } from '../../../shared/errors/index.ts';
import type { TestIssuer } from '../../helpers/token-issuer.ts';

/** What is made of an issuer's tokens, and by whom: with the issuer's key where it says so, else with keys of the attacker's own. */
export interface Forge {
  readonly issuer: TestIssuer;
  /** Issuers whose tokens name an audience: see `TestAuthorizer`. */
  readonly others: Readonly<Record<'typed' | 'unmarked', TestIssuer>>;
  /** Whose key set the attacker would like to be asked for. */
  readonly attackersUrl: string;
  /** Tokens by which an operator acts, or acted, for a tenant. */
  readonly impersonations: Readonly<Record<'live' | 'ended' | 'expired' | 'suspended', string>>;
}

/** The Authorization header's token, and what the authorizer says to it. */
export interface Attack {
  readonly token: (forge: Forge) => Promise<string> | string;
  /** `Unauthorized` is thrown; a code of the catalogue is a Deny; `allowed` is what an honest token gets. */
  readonly answer: 'Unauthorized' | 'allowed' | ErrorCode;
}

export const attackersKeys = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ed: generateKeyPairSync('ed25519'),
};

export const now = (): number => Math.floor(Date.now() / 1000);
export const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** The claims of an honest token. */
export const claimsOf = ({ issuer }: Forge, changes: object = {}): object => ({
  iss: issuer.config.issuer,
  sub: 'ann',
  client_id: 'client-1',
  token_use: 'access',
  tenant_id: 'acme',
  roles: ['admin'],
  iat: now(),
  exp: now() + 3600,
  ...changes,
});

/** Signed by the issuer, with these changes to an honest token. */
export const honest =
  (claims: object = {}, header: object = {}) =>
  (forge: Forge): string =>
    forge.issuer.signText(
      JSON.stringify({ alg: 'RS256', kid: 'key-1', ...header }),
      JSON.stringify(claimsOf(forge, claims)),
    );

/** Signed by the attacker, with a header as the attacker likes. */
export const forged =
  (header: object | ((forge: Forge) => object), key: KeyObject = attackersKeys.rsa.privateKey) =>
  (forge: Forge): string => {
    const fields = { alg: 'RS256', kid: 'key-1', ...(typeof header === 'function' ? header(forge) : header) };
    const content = `${encode(fields)}.${encode(claimsOf(forge))}`;
    const digest = key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
    return `${content}.${sign(digest, Buffer.from(content), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  };

/** HS256 with something that everybody knows. */
export const keyedWith =
  (secret: (publicKey: KeyObject, pem: string) => string | Buffer, header: object = {}) =>
  (forge: Forge): string => {
    const pem = forge.issuer.publicKeyPem;
    const content = `${encode({ alg: 'HS256', kid: 'key-1', ...header })}.${encode(claimsOf(forge))}`;
    return `${content}.${createHmac('sha256', secret(createPublicKey(pem), pem))
      .update(content)
      .digest('base64url')}`;
  };

/** Not signed at all. */
export const unsigned =
  (header: string | object, signature = '') =>
  (forge: Forge): string =>
    `${encode(header)}.${encode(claimsOf(forge))}.${signature}`;

/** Of the parts of an honest token. */
export const parts =
  (make: (header: string, payload: string, signature: string) => string) =>
  (forge: Forge): string => {
    const [header = '', payload = '', signature = ''] = honest()(forge).split('.');
    return make(header, payload, signature);
  };

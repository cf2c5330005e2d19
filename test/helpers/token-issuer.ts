import { constants, KeyObject, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from 'jose';
import type { TrustedIssuer } from '../../shared/config/index.ts';

/** A token issuer on this machine: real keys, real JWKS over HTTP. */
export interface TestIssuer extends AsyncDisposable {
  readonly config: TrustedIssuer;
  readonly publicKeyPem: string;
  /** Signs a token that is valid but for `claims`; undefined leaves a claim out. */
  sign(claims?: Record<string, unknown>, header?: Partial<JWTHeaderParameters>): Promise<string>;
  /** Signs a header and claims exactly as they are written, well-formed or not, by any algorithm of the key. */
  signText(header: string | Buffer, claims: string | Buffer, algorithm?: 'RS256' | 'RS384' | 'PS256'): string;
  /** Replaces the key that signs, and publishes the new one beside the old. */
  rotate(): Promise<void>;
  /** Makes the JWKS unavailable, or available again. */
  setOutage(outage: boolean): void;
  requests(): number;
}

export async function startIssuer(overrides: Partial<TrustedIssuer> = {}): Promise<TestIssuer> {
  const keys: object[] = [];
  let outage = false;
  let requests = 0;
  let signing = await newKey();
  async function newKey() {
    const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
    const kid = `key-${keys.length + 1}`;
    keys.push({ ...(await exportJWK(publicKey)), kid, use: 'sig', alg: 'RS256' });
    return { kid, privateKey, publicKey };
  }
  const server = createServer((_, response) => {
    requests += 1;
    response.writeHead(outage ? 503 : 200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const config: TrustedIssuer = {
    issuer,
    audience: ['client-1'],
    audienceClaim: 'client_id',
    tokenUse: 'access',
    tenantClaim: 'tenant_id',
    rolesClaim: 'roles',
    ...overrides,
  };
  return {
    config,
    publicKeyPem: await import('jose').then(({ exportSPKI }) => exportSPKI(signing.publicKey)),
    sign: async (claims = {}, header = {}) => {
      const now = Math.floor(Date.now() / 1000);
      const payload = {
        iss: issuer,
        sub: 'ann',
        client_id: 'client-1',
        token_use: 'access',
        tenant_id: 'acme',
        roles: ['admin'],
        iat: now,
        exp: now + 3600,
        ...claims,
      };
      return await new SignJWT(payload)
        .setProtectedHeader({ alg: 'RS256', kid: signing.kid, ...header })
        .sign(signing.privateKey, { crit: Object.fromEntries((header.crit ?? []).map((name) => [name, true])) });
    },
    signText: (header, claims, algorithm = 'RS256') => {
      const content = [header, claims].map((part) => Buffer.from(part).toString('base64url')).join('.');
      const key = KeyObject.from(signing.privateKey);
      const padding = algorithm === 'PS256' ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
      const signature = sign(`sha${algorithm.slice(2)}`, Buffer.from(content), { key, padding, saltLength: 32 });
      return `${content}.${signature.toString('base64url')}`;
    },
    rotate: async () => {
      signing = await newKey();
    },
    setOutage: (value) => (outage = value),
    requests: () => requests,
    [Symbol.asyncDispose]: async () => {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

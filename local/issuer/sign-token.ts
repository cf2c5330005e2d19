import { importJWK, SignJWT } from 'jose';
import { tokenClaims } from '../../shared/contract/index.ts';
import { type IssuerIdentity, issuerUrl, localClientId, readIssuerIdentity } from './issuer-identity.ts';

export interface TokenRequest {
  /** Missing for an operator, who belongs to no tenant. */
  readonly tenant?: string | undefined;
  /** @default 'demo-user' */
  readonly user?: string | undefined;
  readonly roles?: readonly string[];
  /** @default 12 hours */
  readonly lifetimeSeconds?: number;
}

/** No stack has ever been started with the data folder. */
export class NoStackError extends Error {
  override readonly name = 'NoStackError';
}

/**
 * A token of the local issuer, shaped like a Cognito access token.
 *
 * @throws NoStackError, or StartupError if the issuer's file is damaged
 */
export async function signToken(dataDir: string, request: TokenRequest): Promise<string> {
  const identity = readIssuerIdentity(dataDir);
  if (!identity) throw new NoStackError(`No local stack has been started in ${dataDir} yet. Run "npm run dev" first.`);
  return signWith(identity, request);
}

async function signWith(
  identity: IssuerIdentity,
  { tenant, user = 'demo-user', roles = [], lifetimeSeconds = 12 * 3_600 }: TokenRequest,
): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  return new SignJWT({
    token_use: 'access',
    client_id: localClientId,
    ...(tenant !== undefined && { [tokenClaims.tenantId]: tenant }),
    [tokenClaims.roles]: roles,
  })
    .setProtectedHeader({ alg: 'RS256', kid: identity.privateKey.kid })
    .setIssuer(issuerUrl(identity))
    .setSubject(user)
    .setIssuedAt(now)
    .setExpirationTime(now + lifetimeSeconds)
    .sign(await importJWK(identity.privateKey, 'RS256'));
}

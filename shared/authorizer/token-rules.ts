import type { JwtHeader, JwtPayload } from 'aws-jwt-verify/jwt-model';
import type { TrustedIssuer } from '../config/index.ts';

/** How far the clock of an issuer may be ahead of ours. */
const clockToleranceSeconds = 60;

/** Claims that OpenID Connect puts into ID tokens alone (Core 1.0, 2 and 3.3.2.11). */
const claimsOfIdTokens = ['nonce', 'at_hash', 'c_hash'];

/**
 * Which rule of ours a token breaks that a library has found to be signed and in time, in words that quote nothing of it; undefined if none.
 *
 * @param nowSeconds since the epoch
 */
export function ruleBrokenBy(
  header: JwtHeader,
  payload: JwtPayload,
  { audience, audienceClaim, tokenUse }: TrustedIssuer,
  nowSeconds: number,
): string | undefined {
  // Whoever signs with such a header demands that a verifier that does not know the extension refuses (RFC 7515, 4.1.11).
  if ('crit' in header) return 'The token has critical extensions, and none is known here.';
  // From that time on it must not be accepted (RFC 7519, 4.1.4); the library takes it at that very moment.
  if (payload.exp !== undefined && payload.exp <= nowSeconds) return 'The token has expired.';
  if (payload.iat !== undefined && payload.iat > nowSeconds + clockToleranceSeconds)
    return 'The token was issued in the future.';
  const clientId = payload['client_id'];
  if (audienceClaim === 'client_id' && !(typeof clientId === 'string' && audience.includes(clientId)))
    return 'The client_id is not one of ours.';
  return isAccessToken(header, payload, tokenUse) ? undefined : `The token is no access token, by ${tokenUse}.`;
}

/** An ID token tells a client who its user is; it is no key to an API (RFC 8725, 3.12). */
function isAccessToken(header: JwtHeader, payload: JwtPayload, tokenUse: TrustedIssuer['tokenUse']): boolean {
  switch (tokenUse) {
    case 'access':
      return payload['token_use'] === 'access';
    case 'at+jwt':
      // The prefix may be there or not, and neither has capitals of its own (RFC 7515, 4.1.9).
      return /^(application\/)?at\+jwt$/i.test(typeof header.typ === 'string' ? header.typ : '');
    case 'audience':
      return claimsOfIdTokens.every((claim) => !(claim in payload));
  }
}

import { JwtVerifier } from 'aws-jwt-verify';
import {
  FetchError,
  JwksNotAvailableInCacheError,
  JwksValidationError,
  JwkInvalidKtyError,
  JwkInvalidUseError,
  JwkValidationError,
} from 'aws-jwt-verify/error';
import { SimpleJwksCache } from 'aws-jwt-verify/jwk';
import type { JwtHeader, JwtPayload } from 'aws-jwt-verify/jwt-model';
import type { TrustedIssuer } from '../config/index.ts';
import { jwksFetcher } from './jwks-fetcher.ts';
import { BrokenRuleError, refusalReason } from './refusal-reasons.ts';
import { ruleBrokenBy } from './token-rules.ts';

/** A verified token, and the configuration of its issuer, which says where the tenant is found in it. */
export interface VerifiedToken {
  readonly userId: string;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  readonly claims: JwtPayload;
  readonly issuer: TrustedIssuer;
}

/** The token is not one that we trust: the client's fault. Anything else that `verify` throws is our own. Its message quotes nothing of it. */
export class InvalidTokenError extends Error {
  override readonly name = 'InvalidTokenError';
}

export interface TokenVerifier {
  /** @throws InvalidTokenError */
  readonly verify: (token: string) => Promise<VerifiedToken>;
  /** Fetches the issuers' keys ahead of the first token. */
  readonly hydrate: () => Promise<void>;
}

/** What goes wrong with an issuer's keys is not the fault of whoever sent the token. */
const ownFaults = [
  FetchError,
  JwksNotAvailableInCacheError,
  JwksValidationError,
  JwkValidationError,
  JwkInvalidKtyError,
  JwkInvalidUseError,
];

/**
 * Verifies tokens of several issuers: signature by an asymmetric key of that very issuer, issuer, audience, token use, times.
 * Which issuers, and where their keys are, is configuration; the token has no say in it.
 */
export function tokenVerifier(issuers: readonly TrustedIssuer[]): TokenVerifier {
  const verifier = JwtVerifier.create(issuers.map(verifyOptions), {
    jwksCache: new SimpleJwksCache({ fetcher: jwksFetcher }),
  });
  return {
    hydrate: () => verifier.hydrate(),
    verify: async (token) => {
      try {
        const claims = await verifier.verify(token);
        const issuer = issuers.find((candidate) => candidate.issuer === claims.iss);
        const { sub: userId, exp: expiresAt } = claims;
        // The library lets a token without an expiry live for ever. Whoever acts is named in logs, and owns idempotency keys.
        if (!issuer || !userId || expiresAt === undefined)
          throw new InvalidTokenError('The token has no sub or no exp.');
        return { userId, expiresAt, claims, issuer };
      } catch (error) {
        const reason = ownFaults.some((type) => error instanceof type) ? undefined : refusalReason(error);
        throw reason === undefined ? error : new InvalidTokenError(reason, { cause: error });
      }
    },
  };
}

function verifyOptions(trusted: TrustedIssuer) {
  const { issuer, jwksUri, audience, audienceClaim } = trusted;
  return {
    issuer,
    ...(jwksUri && { jwksUri }),
    audience: audienceClaim === 'aud' ? [...audience] : null,
    customJwtCheck: ({ header, payload }: { header: JwtHeader; payload: JwtPayload }) => {
      const broken = ruleBrokenBy(header, payload, trusted, Date.now() / 1000);
      if (broken !== undefined) throw new BrokenRuleError(broken);
    },
  };
}

import { type Refusal, rolesOf, type TokenVerifier } from '../../shared/authorizer/index.ts';
import { operatorRole } from '../../shared/contract/index.ts';

/** The operator that a token lets in, or why it does not. */
export type Decision =
  { readonly allowed: true; readonly operatorId: string; readonly roles: readonly string[] } | Refusal;

/**
 * Decides about a bearer token. An operator belongs to no tenant: a token that names one, whatever its roles, is a tenant's.
 *
 * @throws InvalidTokenError for a token that is not trusted; anything else when the issuers' keys cannot be had
 */
export async function authorizeOperator(token: string, verifier: Pick<TokenVerifier, 'verify'>): Promise<Decision> {
  const verified = await verifier.verify(token);
  const { userId, claims, issuer } = verified;
  const refuse = (detail: string): Decision => ({ allowed: false, userId, code: 'operator-only', detail });
  if (Object.hasOwn(claims, issuer.tenantClaim)) {
    return refuse('The token is of a user of a tenant. Sign in as an operator, who belongs to none.');
  }
  const roles = rolesOf(verified);
  if (!roles.includes(operatorRole)) {
    return refuse(`The token lacks the role ${operatorRole}. Sign in as a user who has it.`);
  }
  if (userId.startsWith('arn:')) {
    return refuse(
      'The subject of the token looks like an AWS principal, and those come with signatures. Rename the user.',
    );
  }
  return { allowed: true, operatorId: userId, roles };
}

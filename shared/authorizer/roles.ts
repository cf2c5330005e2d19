import type { VerifiedToken } from './token-verifier.ts';

/** Names of the roles that a token grants: a list, or text with blanks between them. Anything else, and names with blanks in them, grants nothing. */
export function rolesOf({ claims, issuer }: VerifiedToken): string[] {
  const claim = issuer.rolesClaim === undefined ? undefined : claims[issuer.rolesClaim];
  const names = typeof claim === 'string' ? claim.split(' ') : Array.isArray(claim) ? claim : [];
  return names.filter((name): name is string => typeof name === 'string' && /^\S+$/.test(name));
}

import { createHash, randomBytes } from 'node:crypto';
import type { RegisteredTenant } from './registered-tenant.ts';

/** An operator acts for a tenant. */
export interface Impersonation {
  readonly id: string;
  /** The operator. */
  readonly actor: string;
}

/** What the registry knows of an impersonation, and of its tenant. */
export interface RegisteredImpersonation extends Impersonation {
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  /** Why it is over; null while it goes on. */
  readonly over: 'ended' | 'expired' | null;
  /** Undefined when the registry does not have the tenant any more. */
  readonly tenant: RegisteredTenant | undefined;
}

/** Looks an impersonation up by the hash of its token; undefined when there is none. */
export type FindImpersonation = (tokenHash: string) => Promise<RegisteredImpersonation | undefined>;

/** No JSON web token begins like this: those are base64url of `{`. Scanners for leaked secrets can look for it. */
const prefix = 'tni_';
/** 256 random bits in base64url. */
const tokenPattern = /^tni_[\w-]{43}$/;

/** A new bearer token, which nobody can guess and which says nothing. */
export function newImpersonationToken(): string {
  return prefix + randomBytes(32).toString('base64url');
}

/** Whether a bearer token is meant as that of an impersonation, well-formed or not. */
export function isForImpersonation(token: string): boolean {
  return token.startsWith(prefix);
}

/**
 * What the registry keeps of a token, in hexadecimal. A fast digest will do for a secret of 256 random bits.
 *
 * @returns undefined for a token that `newImpersonationToken` cannot have made
 */
export function hashImpersonationToken(token: string): string | undefined {
  return tokenPattern.test(token) ? createHash('sha256').update(token).digest('hex') : undefined;
}

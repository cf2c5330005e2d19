import { createHmac } from 'node:crypto';

/** A key that signs capabilities. The database knows the same key by the same id. */
export interface SigningKey {
  /** Lower-case letters, digits and hyphens. */
  readonly keyId: string;
  /** 32 random bytes or more. */
  readonly secret: Uint8Array;
}

/** What a capability says. Whether that is true is for the kernel to find. */
interface CapabilityClaims {
  readonly tenantId: string;
  /** Seconds since the epoch; NaN where it says no number. */
  readonly expiresAt: number;
}

/** Reads the claims of a capability, without verifying them. */
export function capabilityClaims(capability: string): CapabilityClaims {
  const [, , tenantId = '', expiresAt] = capability.split('.');
  return { tenantId, expiresAt: Number(expiresAt) };
}

/**
 * Signs "the bearer acts for `tenantId` until `expiresAt`": `v1.<keyId>.<tenantId>.<expiresAt>.<mac>`,
 * mac = HMAC-SHA256 over all before it, base64url. The kernel (migrations/kernel) verifies it.
 *
 * @param expiresAt seconds since the epoch
 */
export function mintCapability(key: SigningKey, tenantId: string, expiresAt: number): string {
  const claims = `v1.${key.keyId}.${tenantId}.${Math.floor(expiresAt)}`;
  const mac = createHmac('sha256', key.secret).update(claims).digest('base64url');
  return `${claims}.${mac}`;
}

import { mintCapability, type SigningKey } from '../../shared/tenancy/index.ts';

/** The key that the test databases know. */
export const signingKey: SigningKey = { keyId: 'k1', secret: Buffer.from('a-signing-key-for-tests-only-0123456789') };

/** A capability of the tests' key, good for five minutes unless told otherwise. */
export function capabilityFor(tenantId: string, options: { key?: SigningKey; secondsLeft?: number } = {}): string {
  return mintCapability(options.key ?? signingKey, tenantId, Date.now() / 1000 + (options.secondsLeft ?? 300));
}

import { type Refusal, rolesOf, type TokenVerifier, type VerifiedToken } from '../../shared/authorizer/index.ts';
import { capabilitySeconds } from '../../shared/contract/index.ts';
import type { ErrorCode } from '../../shared/errors/index.ts';
import {
  type FindTenant,
  mintCapability,
  type RegisteredTenant,
  type SigningKey,
  type TenantContext,
  tenantIdPattern,
} from '../../shared/tenancy/index.ts';

export interface AuthorizeDependencies {
  readonly verifier: Pick<TokenVerifier, 'verify'>;
  readonly findTenant: FindTenant;
  /** The key that signs capabilities now. */
  readonly signingKey: () => Promise<SigningKey>;
}

/** Whom a token lets in, or why it does not. */
export type Decision =
  { readonly allowed: true; readonly tenant: TenantContext; readonly apiKey: string | null } | Refusal;

/**
 * Decides about a bearer token.
 *
 * @throws InvalidTokenError for a token that is not trusted; anything else when a dependency fails, so that an outage is not taken, and
 *   not cached, as a refusal
 */
export async function authorize(
  token: string,
  { verifier, findTenant, signingKey }: AuthorizeDependencies,
): Promise<Decision> {
  const verified = await verifier.verify(token);
  const { userId } = verified;
  const refuse = (code: ErrorCode, detail: string): Decision => ({ allowed: false, userId, code, detail });

  const claim = verified.claims[verified.issuer.tenantClaim];
  if (typeof claim !== 'string' || !tenantIdPattern.test(claim)) {
    return refuse('tenant-claim-missing', 'The token names no tenant. Sign in as a user of a tenant.');
  }
  const tenant = await findTenant(claim);
  if (!tenant) return refuse('tenant-unknown', 'The tenant that the token names does not exist.');
  if (tenant.state !== 'active') {
    return refuse('tenant-suspended', 'The tenant is not active. Ask the operator of this service.');
  }
  const capability = mintCapability(await signingKey(), tenant.tenantId, capabilityExpiry(verified));
  return { allowed: true, tenant: tenantContext(verified, tenant, capability), apiKey: tenant.apiKey };
}

/** As long as the gateway may replay the answer, but no longer than the token itself. In seconds since the epoch. */
function capabilityExpiry({ expiresAt }: VerifiedToken): number {
  return Math.min(Math.floor(Date.now() / 1000) + capabilitySeconds, expiresAt);
}

function tenantContext(
  token: VerifiedToken,
  { tenantId, plan, placement }: RegisteredTenant,
  capability: string,
): TenantContext {
  return { tenantId, plan, placement, userId: token.userId, roles: rolesOf(token), capability };
}

import { InvalidTokenError, type Refusal, rolesOf, type TokenVerifier } from '../../shared/authorizer/index.ts';
import { capabilitySeconds } from '../../shared/contract/index.ts';
import type { ErrorCode } from '../../shared/errors/index.ts';
import {
  type FindImpersonation,
  type FindTenant,
  hashImpersonationToken,
  isForImpersonation,
  mintCapability,
  type RegisteredTenant,
  type SigningKey,
  type TenantContext,
  tenantIdPattern,
} from '../../shared/tenancy/index.ts';

export interface AuthorizeDependencies {
  readonly verifier: Pick<TokenVerifier, 'verify'>;
  readonly findTenant: FindTenant;
  readonly findImpersonation: FindImpersonation;
  /** The key that signs capabilities now. */
  readonly signingKey: () => Promise<SigningKey>;
}

/** Whom a token lets in, or why it does not. */
export type Decision =
  { readonly allowed: true; readonly tenant: TenantContext; readonly apiKey: string | null } | Refusal;

/** Who shows a token, and until when it is good, in seconds since the epoch. */
interface Bearer extends Pick<TenantContext, 'userId' | 'roles' | 'impersonation'> {
  readonly expiresAt: number;
}

/**
 * Decides about a bearer token: of a user of a tenant, or of an operator who acts for one.
 *
 * @throws InvalidTokenError for a token that is not trusted; anything else when a dependency fails, so that an outage is not taken, and
 *   not cached, as a refusal
 */
export function authorize(token: string, dependencies: AuthorizeDependencies): Promise<Decision> {
  return isForImpersonation(token) ? authorizeOperator(token, dependencies) : authorizeUser(token, dependencies);
}

async function authorizeUser(token: string, dependencies: AuthorizeDependencies): Promise<Decision> {
  const verified = await dependencies.verifier.verify(token);
  const bearer = { userId: verified.userId, roles: rolesOf(verified), expiresAt: verified.expiresAt };
  const claim = verified.claims[verified.issuer.tenantClaim];
  if (typeof claim !== 'string' || !tenantIdPattern.test(claim)) {
    return refusal(bearer, 'tenant-claim-missing', 'The token names no tenant. Sign in as a user of a tenant.');
  }
  return admit(bearer, await dependencies.findTenant(claim), dependencies);
}

async function authorizeOperator(token: string, dependencies: AuthorizeDependencies): Promise<Decision> {
  const hash = hashImpersonationToken(token);
  if (hash === undefined) throw new InvalidTokenError('The token is for an impersonation, and not well-formed.');
  const found = await dependencies.findImpersonation(hash);
  if (!found) throw new InvalidTokenError('The token is of no impersonation.');
  if (found.over) throw new InvalidTokenError(`The impersonation ${found.id} has ${found.over}.`);
  const { id, actor, expiresAt, tenant } = found;
  return admit(
    { userId: `operator:${actor}`, roles: [], expiresAt, impersonation: { id, actor } },
    tenant,
    dependencies,
  );
}

async function admit(
  bearer: Bearer,
  tenant: RegisteredTenant | undefined,
  { signingKey }: AuthorizeDependencies,
): Promise<Decision> {
  if (!tenant) return refusal(bearer, 'tenant-unknown', 'The tenant that the token names does not exist.');
  if (tenant.state !== 'active') {
    const advice =
      tenant.state === 'onboarding'
        ? 'It is being set up: try again in a moment.'
        : 'Ask the operator of this service.';
    return refusal(bearer, 'tenant-suspended', `The tenant is not active. ${advice}`);
  }
  const { tenantId, plan, limits, placement, apiKey } = tenant;
  const { expiresAt, ...who } = bearer;
  const capability = mintCapability(await signingKey(), tenantId, capabilityExpiry(expiresAt));
  const context = { tenantId, plan, ...(limits && { limits }), placement, ...who, capability };
  return { allowed: true, tenant: context, apiKey };
}

function refusal({ userId }: Bearer, code: ErrorCode, detail: string): Decision {
  return { allowed: false, userId, code, detail };
}

/** As long as the gateway may replay the answer, but no longer than the token itself. In seconds since the epoch. */
function capabilityExpiry(tokenExpiresAt: number): number {
  return Math.min(Math.floor(Date.now() / 1000) + capabilitySeconds, tokenExpiresAt);
}

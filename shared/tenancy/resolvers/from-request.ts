import type { APIGatewayProxyEvent } from 'aws-lambda';
import { capabilitySeconds } from '../../contract/index.ts';
import { AppError } from '../../errors/index.ts';
import { mintCapability, type SigningKey } from '../capability.ts';
import type { TenantContext } from '../context.ts';
import type { FindTenant } from '../registered-tenant.ts';
import { tenantIdPattern } from '../tenant.ts';
import { tenantHeader, tenantsNamedByHeader, tenantsNamedBySubdomain } from './named-tenant.ts';
import type { TenantResolver } from './resolver.ts';

/**
 * What a set-up without the authorizer needs. It mints capabilities in the function, which therefore holds the signing key and believes
 * whatever tenant the client names: only for use behind something else that authenticates, such as mutual TLS or a private network.
 */
export interface FromRequestOptions {
  /** Registry look-up, `findTenant` of shared/database, by way of `cachedTenants` of shared/middleware: it comes with every request. */
  readonly findTenant: FindTenant;
  /** The key that signs, `signingKeys(…)` of this folder. */
  readonly signingKey: () => Promise<SigningKey>;
  /** Who the user is, when the set-up knows. @default anonymous, without roles */
  readonly user?: (event: APIGatewayProxyEvent) => { readonly userId: string; readonly roles: readonly string[] };
}

/**
 * Takes the tenant from the header `X-Tenant-ID`.
 *
 * @throws AppError tenant-not-named (400), tenant-not-found (404), tenant-suspended (403)
 */
export function fromHeader(options: FromRequestOptions): TenantResolver {
  return (event) => {
    const how = `Send the tenant's id in the header ${tenantHeader}.`;
    return resolve(event, onlyName(tenantsNamedByHeader(event), how), options);
  };
}

/**
 * Takes the tenant from the subdomain: `acme` in `acme.api.example.com` when `api.example.com` is a base domain.
 *
 * @throws AppError tenant-not-named (400), tenant-not-found (404), tenant-suspended (403)
 */
export function fromSubdomain(
  options: FromRequestOptions & { readonly baseDomains: readonly string[] },
): TenantResolver {
  return (event) => {
    const how = `Call the tenant's own host, https://<tenant>.${options.baseDomains[0] ?? 'example.com'}.`;
    return resolve(event, onlyName(tenantsNamedBySubdomain(event, options.baseDomains), how), options);
  };
}

function onlyName(names: readonly string[], how: string): string {
  const [name, another] = names;
  if (name === undefined) throw new AppError('tenant-not-named', `The request names no tenant. ${how}`);
  if (another !== undefined) throw new AppError('tenant-not-named', `The request names several tenants. ${how}`);
  return name;
}

async function resolve(
  event: APIGatewayProxyEvent,
  tenantId: string,
  { findTenant, signingKey, user }: FromRequestOptions,
): Promise<TenantContext> {
  const tenant = tenantIdPattern.test(tenantId) ? await findTenant(tenantId) : undefined;
  if (!tenant) throw new AppError('tenant-not-found', `There is no tenant ${tenantId.slice(0, 100)}.`);
  if (tenant.state !== 'active') throw new AppError('tenant-suspended', `The tenant ${tenantId} is ${tenant.state}.`);
  // One by one: what comes from a request's own claims may have more in it than its type says, a tenant for one.
  const { userId, roles } = user?.(event) ?? { userId: 'anonymous', roles: [] };
  const expiresAt = Date.now() / 1000 + capabilitySeconds;
  return {
    tenantId: tenant.tenantId,
    plan: tenant.plan,
    placement: tenant.placement,
    ...(tenant.limits && { limits: tenant.limits }),
    userId,
    roles,
    capability: mintCapability(await signingKey(), tenant.tenantId, expiresAt),
  };
}

import type { APIGatewayProxyEvent } from 'aws-lambda';
import { headerValues } from '../../http/headers.ts';

/** Header by which a client may say which tenant it means. */
export const tenantHeader = 'X-Tenant-ID';

/** Tenants that the header `X-Tenant-ID` names: none, one, or, when a client sends it repeatedly, several. */
export function tenantsNamedByHeader(event: APIGatewayProxyEvent): string[] {
  return headerValues(event, tenantHeader).flatMap((value) => value.trim() || []);
}

/**
 * Tenants that the request's host names as a subdomain of one of `baseDomains`. The host is what the gateway says (`domainName`)
 * and what the client says (`Host`); forwarded-host headers are anyone's to set and are not read.
 */
export function tenantsNamedBySubdomain(event: APIGatewayProxyEvent, baseDomains: readonly string[]): string[] {
  const hosts = [event.requestContext.domainName ?? '', ...headerValues(event, 'Host')];
  const names = hosts.flatMap((host) => subdomainOf(host, baseDomains) ?? []);
  return [...new Set(names)];
}

function subdomainOf(host: string, baseDomains: readonly string[]): string | undefined {
  const hostname = host.toLowerCase().replace(/:\d+$/, '').replace(/\.$/, '');
  const base = baseDomains.find((domain) => hostname.endsWith(`.${domain.toLowerCase()}`));
  return base === undefined ? undefined : hostname.slice(0, -base.length - 1);
}

import {
  listAuditEntries as readAuditEntries,
  listTenants as readTenants,
  type ManagedTenant,
  readTenant,
} from '../../shared/control/index.ts';
import { AppError } from '../../shared/errors/index.ts';
import { toPageAt, toPageBy } from '../../shared/http/index.ts';
import type { AuditQuery, TenantsQuery } from './schema.ts';

export async function listTenants({ limit, cursor, ...filter }: TenantsQuery) {
  const page = { limit, cursor };
  return toPageBy(await readTenants(filter, page), page, ({ tenantId }) => tenantId);
}

/** @throws AppError not-found */
export async function getTenant(tenantId: string): Promise<ManagedTenant> {
  const tenant = await readTenant(tenantId);
  if (!tenant) throw new AppError('not-found', `There is no tenant ${tenantId}.`);
  return tenant;
}

export async function listAuditEntries({ limit, cursor, tenantId }: AuditQuery) {
  const page = { limit, cursor };
  return toPageAt(await readAuditEntries(tenantId, page), page, ({ entry }) => [entry]);
}

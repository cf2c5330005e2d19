import { listTenants as readTenants, type ManagedTenant, readTenant } from '../../shared/control/index.ts';
import { AppError } from '../../shared/errors/index.ts';
import { toPageBy } from '../../shared/http/index.ts';
import type { TenantsQuery } from './schema.ts';

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

import * as z from 'zod';
import { loadConfig } from '../config/index.ts';
import { type FindTenant, placementSchema, planSchema } from '../tenancy/index.ts';
import type { DatabaseConfig } from './config.ts';
import { DataApi } from './data-api.ts';
import { loginOf } from './router.ts';

const statement = `select jsonb_build_object(
  'tenantId', tenant_id, 'plan', plan, 'state', state, 'apiKey', api_key,
  'placement', jsonb_build_object('model', model, 'cluster', cluster, 'database', database, 'schema', schema))::text
from registry.tenants where tenant_id = :tenant_id`;

const registeredTenant = z.object({
  tenantId: z.string(),
  plan: planSchema,
  state: z.string(),
  apiKey: z.string().nullable(),
  placement: placementSchema,
});

/**
 * How the authorizer looks a tenant up, before there is a capability: by one fixed statement on the registry, with a login that can
 * read nothing else.
 *
 * @throws DatabaseError when the registry cannot be asked, which says nothing of the tenant
 */
export function tenantFinder(config: DatabaseConfig): FindTenant {
  const dataApi = new DataApi();
  const { cluster, database } = config.registry;
  const registry = { ...loginOf(config, cluster), database };
  return async (tenantId) => {
    const [row] = await dataApi.execute(registry, statement, { tenant_id: tenantId }, { twice: 'harmless' });
    return typeof row?.[0] === 'string' ? registeredTenant.parse(JSON.parse(row[0])) : undefined;
  };
}

let finder: FindTenant | undefined;

/** `tenantFinder` with what the environment says. */
export const findTenant: FindTenant = (tenantId) => {
  finder ??= tenantFinder(loadConfig('clusters', 'registry'));
  return finder(tenantId);
};

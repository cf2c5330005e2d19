import * as z from 'zod';
import { loadConfig } from '../config/index.ts';
import {
  type FindImpersonation,
  type FindTenant,
  placementSchema,
  planSchema,
  tenantLimitsSchema,
} from '../tenancy/index.ts';
import type { DatabaseConfig } from './config.ts';
import { DataApi, type Parameters } from './data-api.ts';
import { loginOf } from './router.ts';

const tenantJson = `jsonb_build_object(
  'tenantId', t.tenant_id, 'plan', t.plan, 'limits', t.limits, 'state', t.state, 'apiKey', t.api_key,
  'placement', jsonb_strip_nulls(jsonb_build_object('model', t.model, 'cluster', t.cluster, 'database', t.database,
    'schema', t.schema, 'secretArn', t.secret_arn)))`;

const tenantStatement = `select ${tenantJson}::text from registry.tenants t where t.tenant_id = :tenant_id`;

// A tenant that has the id now need not be the one that had it when the impersonation began.
const impersonationStatement = `select jsonb_build_object('id', i.id, 'actor', i.actor,
  'expiresAt', floor(extract(epoch from i.expires_at)),
  'over', case when i.ended_at is not null then 'ended' when i.expires_at <= clock_timestamp() then 'expired' end,
  'tenant', case when t.tenant_id is not null then ${tenantJson} end)::text
from registry.impersonations i
left join registry.tenants t on t.tenant_id = i.tenant_id and t.created_at <= i.created_at
where i.token_hash = decode(:token_hash, 'hex')`;

const registeredTenant = z.object({
  tenantId: z.string(),
  plan: planSchema,
  limits: tenantLimitsSchema.nullable(),
  state: z.string(),
  apiKey: z.string().nullable(),
  placement: placementSchema,
});

const registeredImpersonation = z.object({
  id: z.guid(),
  actor: z.string().min(1),
  expiresAt: z.int(),
  over: z.enum(['ended', 'expired']).nullable(),
  tenant: registeredTenant.nullable().transform((tenant) => tenant ?? undefined),
});

/** How the authorizer asks the registry. */
interface Finders {
  readonly findTenant: FindTenant;
  readonly findImpersonation: FindImpersonation;
}

/**
 * How the authorizer looks a tenant up, before there is a capability: by fixed statements on the registry, one call each, with a login
 * that can read nothing else.
 *
 * @throws DatabaseError when the registry cannot be asked, which says nothing of the tenant
 */
export function registryFinders(config: DatabaseConfig): Finders {
  const dataApi = new DataApi();
  const { cluster, database } = config.registry;
  const registry = { ...loginOf(config, cluster), database };
  const find = async <T>(sql: string, parameters: Parameters, schema: z.ZodType<T>): Promise<T | undefined> => {
    const [row] = await dataApi.execute(registry, sql, parameters, { twice: 'harmless' });
    return typeof row?.[0] === 'string' ? schema.parse(JSON.parse(row[0])) : undefined;
  };
  return {
    findTenant: (tenantId) => find(tenantStatement, { tenant_id: tenantId }, registeredTenant),
    findImpersonation: (tokenHash) => find(impersonationStatement, { token_hash: tokenHash }, registeredImpersonation),
  };
}

let finders: Finders | undefined;

const ofTheEnvironment = (): Finders => (finders ??= registryFinders(loadConfig('clusters', 'registry')));

/** Looks a tenant up in the registry that the environment names. */
export const findTenant: FindTenant = (tenantId) => ofTheEnvironment().findTenant(tenantId);

/** Looks an impersonation up there, together with its tenant. */
export const findImpersonation: FindImpersonation = (tokenHash) => ofTheEnvironment().findImpersonation(tokenHash);

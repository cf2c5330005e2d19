import type { QuotaName } from '../contract/index.ts';
import { queryRegistry } from '../database/registry-connection.ts';
import { growthWindowDays } from './project-quota.ts';
import { countsSchema, type DeclaredClusters, type Quota, quotasOf } from './quota-counts.ts';

/** One look at all tenants, and at the cluster of the registry. */
const statement = `with recent as (
    select greatest(min(created_at), now() - interval '${growthWindowDays} days') as since from registry.tenants
  )
  select jsonb_build_object(
    'observedDays', coalesce((select extract(epoch from now() - since) / 86400 from recent), 0),
    'groups', (select coalesce(jsonb_agg(to_jsonb(g)), '[]') from (
      select plan, model, cluster, count(*) as total, count(*) filter (where created_at >= since) as recent
      from registry.tenants, recent group by plan, model, cluster) g),
    'keys', (select jsonb_build_object('total', count(*), 'recent', count(*) filter (where k.first >= since)) from (
      select min(created_at) as first from registry.tenants where api_key is not null group by api_key) k, recent),
    'places', (select coalesce(jsonb_agg(to_jsonb(p)), '[]') from (
      select cluster, count(distinct database) as databases, count(distinct (database, schema)) as schemas
      from registry.tenants group by cluster) p),
    'connections', jsonb_build_object('limit', current_setting('max_connections')::integer,
      'used', (select sum(numbackends) from pg_stat_database)))::text`;

/**
 * How much is used of what tenants use up, and when it will be used up if tenants go on coming as they did.
 *
 * @param limits as `quotaLimits` of shared/contract, with what was raised
 * @param clusters connections are counted on the one that holds the registry
 */
export async function readQuotas(
  limits: Readonly<Record<QuotaName, number>>,
  clusters: DeclaredClusters,
): Promise<Quota[]> {
  const [row] = await queryRegistry({ sql: statement, parameters: {}, operation: 'select', twice: 'harmless' });
  return quotasOf(countsSchema.parse(row), limits, clusters, new Date());
}

import type { QuotaName } from '../contract/index.ts';
import { queryRegistry, queryServer } from '../database/registry-connection.ts';
import { AppError } from '../errors/index.ts';
import { growthWindowDays } from './project-quota.ts';
import {
  type ClusterConnections,
  connectionsSchema,
  countsSchema,
  type DeclaredClusters,
  type Quota,
  quotasOf,
} from './quota-counts.ts';

/** One look at all tenants. */
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
      from registry.tenants group by cluster) p))::text`;

/** What a cluster says of itself. */
const connectionsStatement = `select jsonb_build_object('limit', current_setting('max_connections')::integer,
  'used', (select sum(numbackends) from pg_stat_database))::text`;

/** A cluster that is paused, or in trouble, is not waited for: the others are told of meanwhile. */
const clusterTimeoutMs = 5_000;

/**
 * How much is used of what tenants use up, and when it will be used up if tenants go on coming as they did.
 *
 * @param limits as `quotaLimits` of shared/contract, with what was raised
 * @param clusters each is asked for its connections; of one that does not answer they are unknown, and the quota says why
 * @throws DatabaseError when the registry does not answer
 */
export async function readQuotas(
  limits: Readonly<Record<QuotaName, number>>,
  clusters: DeclaredClusters,
): Promise<Quota[]> {
  const [[row], connections] = await Promise.all([
    queryRegistry({ sql: statement, parameters: {}, operation: 'select', twice: 'harmless' }),
    Promise.all(clusters.map(connectionsOf)),
  ]);
  return quotasOf({ ...countsSchema.parse(row), connections }, limits, clusters, new Date());
}

async function connectionsOf(cluster: string): Promise<ClusterConnections> {
  const asked = { sql: connectionsStatement, parameters: {}, operation: 'select', twice: 'harmless' } as const;
  try {
    const [row] = await queryServer(cluster, asked, clusterTimeoutMs);
    return { cluster, ...connectionsSchema.parse(row) };
  } catch (error) {
    if (error instanceof AppError) return { cluster, used: null, limit: null, gap: error.message };
    throw error;
  }
}

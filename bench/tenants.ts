import { databaseRoles, environmentKeys, mainCluster, mainDatabase } from '../shared/contract/index.ts';
import { listTenants, type TenantFilter } from '../shared/control/index.ts';
import type { PageRequest } from '../shared/http/index.ts';
import { atMost, type Bench, takeTurns } from './bench.ts';
import { benchDataApi, resourceArn, secretArn } from './data-api.ts';
import { benchPostgres } from './postgres.ts';

const tenants = 100_000;
const limit = 100;
const late = 100;

/**
 * A page of the list of tenants, as the control plane asks the registry for it: the first and the hundredth of 1,000, of all tenants and
 * of those of a plan, against the same pages by LIMIT and OFFSET, which read everything that comes before.
 */
export const bench: Bench = async (progress) => {
  await using postgres = await benchPostgres();
  const { superuser } = postgres;
  await using dataApi = await benchDataApi(postgres);
  progress(`registering ${tenants} tenants`);
  await superuser.query(
    `insert into registry.tenants (tenant_id, name, plan, state, model, cluster, database, schema, created_at)
     select 't' || md5(n::text), 'Tenant ' || n, (array['free', 'pro', 'enterprise'])[1 + n % 3], 'active', 'pool', $2, $3, 'pool',
       timestamptz '2026-01-01' + n / 3 * interval '1 second'
     from generate_series(1, $1::integer) n`,
    [tenants, mainCluster, mainDatabase],
  );
  await superuser.query('vacuum analyze registry.tenants');
  Object.assign(process.env, {
    [environmentKeys.clusters]: JSON.stringify({
      [mainCluster]: { resourceArn, secretArn: secretArn(databaseRoles.control) },
    }),
    [environmentKeys.registry]: JSON.stringify({ cluster: mainCluster, database: mainDatabase }),
  });
  progress(`walking through ${late} of ${tenants / limit} pages`);
  const before = Object.values(dataApi.calls).reduce((sum, count) => sum + count, 0);
  const start = await cursorOf(late, {});
  const calls = Object.values(dataApi.calls).reduce((sum, count) => sum + count, 0) - before;
  const ofPlan: TenantFilter = { plan: 'pro' };
  const startOfPlan = await cursorOf(late, ofPlan);
  const page = (cursor?: PageRequest['cursor'], filter: TenantFilter = {}) => {
    return () => listTenants(filter, { limit, cursor });
  };
  const offset = (rows: number) => () =>
    superuser.query(
      `select to_jsonb(t) from registry.tenants t order by created_at, tenant_id limit ${limit + 1} offset ${rows}`,
    );
  progress('measuring');
  const times = await takeTurns(
    {
      first: page(),
      hundredth: page(start),
      firstOfPlan: page(undefined, ofPlan),
      hundredthOfPlan: page(startOfPlan, ofPlan),
      firstByOffset: offset(0),
      hundredthByOffset: offset((late - 1) * limit),
    },
    { rounds: 20, callsPerRound: 10 },
  );
  return {
    rows: [
      { case: 'page 1', value: times.first, unit: 'ms' },
      { case: `page ${late}`, value: times.hundredth, unit: 'ms' },
      { case: 'page 1 of a plan', value: times.firstOfPlan, unit: 'ms' },
      { case: `page ${late} of a plan`, value: times.hundredthOfPlan, unit: 'ms' },
      { case: 'calls a page', value: calls / (late - 1), unit: 'calls' },
      { case: 'page 1 by offset, without the Data API', value: times.firstByOffset, unit: 'ms' },
      { case: `page ${late} by offset, without the Data API`, value: times.hundredthByOffset, unit: 'ms' },
    ],
    ratios: [
      atMost(`page ${late} / page 1`, times.hundredth / times.first, 1.3),
      atMost(`page ${late} / page 1, of a plan`, times.hundredthOfPlan / times.firstOfPlan, 1.3),
      atMost('calls a page', calls / (late - 1), 1),
    ],
  };
};

/** Where a page begins, found as a client finds it: by walking there. */
async function cursorOf(page: number, filter: TenantFilter): Promise<PageRequest['cursor']> {
  let cursor: PageRequest['cursor'];
  for (let number = 1; number < page; number += 1) {
    const last = (await listTenants(filter, { limit, cursor })).at(limit - 1);
    if (!last) throw new Error(`Page ${number} is not full.`);
    cursor = [last.createdAt, last.tenantId];
  }
  return cursor;
}

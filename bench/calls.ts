import {
  BeginTransactionCommand,
  CommitTransactionCommand,
  ExecuteStatementCommand,
  RDSDataClient,
} from '@aws-sdk/client-rds-data';
import type { DataApi } from '../local/data-api/server.ts';
import { superuser } from '../local/postgres.ts';
import { databaseRoles, mainCluster, mainDatabase, poolSchema } from '../shared/contract/index.ts';
import { openTenantDatabase } from '../shared/database/tenant-database.ts';
import { mintCapability, runWithTenant, type TenantContext } from '../shared/tenancy/index.ts';
import { atMost, type Bench, takeTurns } from './bench.ts';
import { benchDataApi, resourceArn, secretArn } from './data-api.ts';
import { benchPostgres, fillProjects, projectOf, signingKey, tenantOf } from './postgres.ts';

const latencyMs = 10;

/**
 * Calls of the RDS Data API that a tenant-scoped statement costs, and what that means with 10 ms on the way: ours, the
 * begin, set, query, commit of AWS's own sample for row-level security, and a statement that is scoped by nothing.
 */
export const bench: Bench = async (progress) => {
  await using postgres = await benchPostgres();
  await fillProjects(postgres.superuser, 10, 100);
  await using dataApi = await benchDataApi(postgres);
  const cases = { ours: ours(), four: fourCalls(), unscoped: unscoped() };
  const calls = {
    ours: await callsOf(dataApi, cases.ours),
    four: await callsOf(dataApi, cases.four),
    unscoped: await callsOf(dataApi, cases.unscoped),
  };
  progress(`measuring with ${latencyMs} ms a call`);
  dataApi.setLatency(latencyMs);
  const times = await takeTurns(cases, { rounds: 10, callsPerRound: 10 });
  return {
    rows: [
      { case: 'ours: calls', value: calls.ours, unit: 'calls' },
      { case: 'begin, set, query, commit: calls', value: calls.four, unit: 'calls' },
      { case: 'unscoped: calls', value: calls.unscoped, unit: 'calls' },
      { case: `ours, ${latencyMs} ms a call`, value: times.ours, unit: 'ms' },
      { case: `begin, set, query, commit, ${latencyMs} ms a call`, value: times.four, unit: 'ms' },
      { case: `unscoped, ${latencyMs} ms a call`, value: times.unscoped, unit: 'ms' },
    ],
    ratios: [
      atMost('calls of ours', calls.ours, 1),
      atMost('time of ours / begin, set, query, commit', times.ours / times.four, 0.3),
    ],
  };
};

async function callsOf(dataApi: DataApi, work: () => Promise<unknown>): Promise<number> {
  const total = (): number => Object.values(dataApi.calls).reduce((sum, count) => sum + count, 0);
  const before = total();
  await work();
  return total() - before;
}

const columns = ['id', 'name', 'description', 'archived', 'created_at'] as const;

function ours(): () => Promise<unknown> {
  const database = openTenantDatabase({
    clusters: { [mainCluster]: { resourceArn, secretArn: secretArn(databaseRoles.app) } },
    registry: { cluster: mainCluster, database: mainDatabase },
  });
  const context: TenantContext = {
    tenantId: tenantOf(5),
    plan: 'pro',
    placement: { model: 'pool', cluster: mainCluster, database: mainDatabase, schema: poolSchema },
    userId: 'bench',
    roles: [],
    capability: mintCapability(signingKey, tenantOf(5), Date.now() / 1000 + 3_600),
  };
  const query = () => database.selectFrom('projects').select(columns).where('id', '=', projectOf(5)).execute();
  return () => runWithTenant(context, query);
}

const target = { resourceArn, secretArn: secretArn(superuser), database: mainDatabase };
const sql = `select ${columns.join(', ')} from pool.projects where tenant_id = :tenant and id = cast(:id as uuid)`;
const parameters = [
  { name: 'tenant', value: { stringValue: tenantOf(5) } },
  { name: 'id', value: { stringValue: projectOf(5) } },
];

function unscoped(): () => Promise<unknown> {
  const client = new RDSDataClient({});
  return () => client.send(new ExecuteStatementCommand({ ...target, sql, parameters }));
}

function fourCalls(): () => Promise<unknown> {
  const client = new RDSDataClient({});
  const set = "select set_config('app.tenant', :tenant, true)";
  return async () => {
    const { transactionId } = await client.send(new BeginTransactionCommand(target));
    const transaction = { ...target, transactionId };
    await client.send(new ExecuteStatementCommand({ ...transaction, sql: set, parameters: parameters.slice(0, 1) }));
    await client.send(new ExecuteStatementCommand({ ...transaction, sql, parameters }));
    await client.send(new CommitTransactionCommand({ resourceArn, secretArn: secretArn(superuser), transactionId }));
  };
}

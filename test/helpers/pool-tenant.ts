import { APIGatewayClient, GetUsagePlansCommand, type UsagePlan } from '@aws-sdk/client-api-gateway';
import { Client } from 'pg';
import { inject } from 'vitest';
import { mainCluster, mainDatabase, type PlanName, planNames, poolSchema } from '../../shared/contract/index.ts';
import { type ApiKeys, apiKeysOf } from '../../shared/control/index.ts';
import { readStackFile } from './stack.ts';

/** A tenant of a test's own, with the plan `pro`, at home in the pool, and gone at the end. */
export interface PoolTenant extends AsyncDisposable {
  readonly client: APIGatewayClient;
  readonly usagePlans: readonly UsagePlan[];
  readonly keys: ApiKeys;
  /** Makes the tenant's API key, which it does not have at first. */
  makeKey(): Promise<void>;
}

export async function startPoolTenant(tenantId: string): Promise<PoolTenant> {
  const { apiGatewayUrl, postgresUrl } = await readStackFile(inject('stack').dataDir);
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new APIGatewayClient({ endpoint: apiGatewayUrl, region: 'eu-central-1', credentials });
  const { items: usagePlans = [] } = await client.send(new GetUsagePlansCommand({}));
  const idOf = (plan: PlanName): string => usagePlans.find(({ name }) => name?.endsWith(`-${plan}`))?.id ?? '';
  const keys = apiKeysOf(client, Object.fromEntries(planNames.map((plan) => [plan, idOf(plan)])) as UsagePlanIds);
  const database = new Client({ connectionString: postgresUrl });
  await database.connect();
  await database.query('select tenancy.set_placement($1, $2, $3)', [tenantId, poolSchema, 'active']);
  await database.query(
    `insert into registry.tenants (tenant_id, name, plan, state, model, cluster, database, schema)
     values ($1, $1, 'pro', 'active', 'pool', $2, $3, $4)`,
    [tenantId, mainCluster, mainDatabase, poolSchema],
  );
  return {
    client,
    usagePlans,
    keys,
    makeKey: async () => {
      const { value } = await keys.ensure(tenantId, 'pro');
      await database.query('update registry.tenants set api_key = $2 where tenant_id = $1', [tenantId, value]);
    },
    [Symbol.asyncDispose]: async () => {
      await keys.remove(tenantId);
      await database.query('delete from registry.tenants where tenant_id = $1', [tenantId]);
      await database.query('delete from tenancy.placements where tenant_id = $1', [tenantId]);
      await database.end();
      client.destroy();
    },
  };
}

type UsagePlanIds = Parameters<typeof apiKeysOf>[1];

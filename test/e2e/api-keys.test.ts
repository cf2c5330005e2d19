import { APIGatewayClient, GetUsagePlansCommand } from '@aws-sdk/client-api-gateway';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { mainCluster, mainDatabase, planNames, poolSchema } from '../../shared/contract/index.ts';
import { apiKeysOf } from '../../shared/control/api-keys.ts';
import { flushAuthorizerCache } from '../../shared/control/authorizer-cache.ts';
import { expectProblem, send, tokenOf } from '../helpers/api-client.ts';
import { readStackFile } from '../helpers/stack.ts';

const tenant = 'key-holder';
let database: Client;
let client: APIGatewayClient;

beforeAll(async () => {
  const { apiGatewayUrl, postgresUrl } = await readStackFile(inject('stack').dataDir);
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  client = new APIGatewayClient({ endpoint: apiGatewayUrl, region: 'eu-central-1', credentials });
  database = new Client({ connectionString: postgresUrl });
  await database.connect();
  await database.query('select tenancy.set_placement($1, $2, $3)', [tenant, poolSchema, 'active']);
  await database.query(
    `insert into registry.tenants (tenant_id, name, plan, state, model, cluster, database, schema)
     values ($1, $1, 'pro', 'active', 'pool', $2, $3, $4)`,
    [tenant, mainCluster, mainDatabase, poolSchema],
  );
});
afterAll(async () => {
  await database.query('delete from registry.tenants where tenant_id = $1', [tenant]);
  await database.query('delete from tenancy.placements where tenant_id = $1', [tenant]);
  await database.end();
  client.destroy();
});

test('the gateway knows keys as soon as they are made or gone, and a new one of a known token after a flush', async () => {
  const { items = [] } = await client.send(new GetUsagePlansCommand({}));
  const plans = planNames.map((plan) => [plan, items.find(({ name }) => name?.endsWith(`-${plan}`))] as const);
  const planIds = Object.fromEntries(plans.map(([plan, found]) => [plan, found?.id ?? '']));
  const keys = apiKeysOf(client, planIds as Parameters<typeof apiKeysOf>[1]);
  const register = async (): Promise<void> => {
    const { value } = await keys.ensure(tenant, 'pro');
    await database.query('update registry.tenants set api_key = $2 where tenant_id = $1', [tenant, value]);
  };
  const token = await tokenOf(tenant);
  const list = () => send('GET', '/projects', { token });

  await register();
  expect((await list()).status).toBe(200);
  await keys.remove(tenant);
  expectProblem(await list(), 403, 'api-key-invalid');
  await register();
  expectProblem(await list(), 403, 'api-key-invalid');
  const [stage] = plans[0]?.[1]?.apiStages ?? [];
  await flushAuthorizerCache(client, { restApiId: stage?.apiId ?? '', stageName: stage?.stage ?? '' });
  expect((await list()).status).toBe(200);
  await keys.remove(tenant);
});

import { expect, test } from 'vitest';
import { flushAuthorizerCache } from '../../shared/control/index.ts';
import { expectProblem, send, tokenOf } from '../helpers/api-client.ts';
import { startPoolTenant } from '../helpers/pool-tenant.ts';

test('the gateway knows keys as soon as they are made or gone, and a new one of a known token after a flush', async () => {
  await using tenant = await startPoolTenant('key-holder');
  const token = await tokenOf('key-holder');
  const list = () => send('GET', '/projects', { token });

  await tenant.makeKey();
  expect((await list()).status).toBe(200);
  await tenant.keys.remove('key-holder');
  expectProblem(await list(), 403, 'api-key-invalid');
  await tenant.makeKey();
  expectProblem(await list(), 403, 'api-key-invalid');
  const [stage] = tenant.usagePlans[0]?.apiStages ?? [];
  await flushAuthorizerCache(tenant.client, { restApiId: stage?.apiId ?? '', stageName: stage?.stage ?? '' });
  expect((await list()).status).toBe(200);
});

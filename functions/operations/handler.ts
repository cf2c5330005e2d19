import { APIGatewayClient } from '@aws-sdk/client-api-gateway';
import { loadConfig } from '../../shared/config/index.ts';
import { apiKeyNamePrefix } from '../../shared/contract/index.ts';
import { apiKeysOf, flushAuthorizerCache } from '../../shared/control/index.ts';
import { operationsFunction } from './durable-function.ts';
import { placements, registry } from './ports.ts';

const { stage, tenantApi } = loadConfig('stage', 'tenantApi');
const apiGateway = new APIGatewayClient();

/** Does what operators ask for, started with `{ operationId }`. */
export const handler = operationsFunction({
  registry,
  placements,
  apiKeys: apiKeysOf(apiGateway, tenantApi.usagePlanIds, { namePrefix: apiKeyNamePrefix(stage) }),
  gateway: { flushAuthorizersCache: () => flushAuthorizerCache(apiGateway, tenantApi) },
});

import { APIGatewayClient } from '@aws-sdk/client-api-gateway';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { loadConfig } from '../../shared/config/index.ts';
import { apiKeyNamePrefix } from '../../shared/contract/index.ts';
import { apiKeysOf, eventPublishingOf, flushAuthorizerCache } from '../../shared/control/index.ts';
import { operationsFunction } from './durable-function.ts';
import { placements, type Ports, registry } from './ports.ts';

const { stage, tenantApi, publisherFunctionArn } = loadConfig('stage', 'tenantApi', 'publisherFunctionArn');
const apiGateway = new APIGatewayClient();

const ports: Ports = {
  registry,
  placements,
  apiKeys: apiKeysOf(apiGateway, tenantApi.usagePlanIds, { namePrefix: apiKeyNamePrefix(stage) }),
  gateway: { flushAuthorizersCache: () => flushAuthorizerCache(apiGateway, tenantApi) },
};
const publishing = eventPublishingOf(new LambdaClient(), publisherFunctionArn);

/** Does what operators ask for, started with `{ operationId }`. */
export const handler = operationsFunction(ports, undefined, publishing);

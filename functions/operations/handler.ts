import { APIGatewayClient } from '@aws-sdk/client-api-gateway';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { loadConfig } from '../../shared/config/index.ts';
import { apiKeyNamePrefix, sharingPlans } from '../../shared/contract/index.ts';
import {
  apiKeysOf,
  eventPublishingOf,
  exportStoreIn,
  flushAuthorizerCache,
  tenantCacheVia,
  tenantDatabasesVia,
  tenantSecretsOf,
} from '../../shared/control/index.ts';
import { operationsFunction } from './durable-function.ts';
import { homes, type Ports, registry, rows } from './ports.ts';

const config = loadConfig(
  'stage',
  'tenantApi',
  'publisherFunctionArn',
  'exportBucket',
  'tenantCacheFunctionArn',
  'migrationFunctionArn',
);
const { stage, tenantApi } = config;
const apiGateway = new APIGatewayClient();
const lambda = new LambdaClient();

const ports: Ports = {
  registry,
  homes,
  databases: tenantDatabasesVia(lambda, config.migrationFunctionArn),
  apiKeys: apiKeysOf(apiGateway, tenantApi.usagePlanIds, { sharingPlans, namePrefix: apiKeyNamePrefix(stage) }),
  gateway: { flushAuthorizersCache: () => flushAuthorizerCache(apiGateway, tenantApi) },
  rows,
  exports: exportStoreIn(new S3Client(), config.exportBucket),
  cache: tenantCacheVia(lambda, config.tenantCacheFunctionArn),
  secrets: tenantSecretsOf(new SecretsManagerClient(), stage),
};
const publishing = eventPublishingOf(lambda, config.publisherFunctionArn);

/** Does what operators ask for, started with `{ operationId }`. */
export const handler = operationsFunction(ports, undefined, publishing);

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
  'lateAnswerSeconds',
);
const { stage, tenantApi } = config;
const apiGateway = new APIGatewayClient();
const lambda = new LambdaClient();
/** Whoever stands still for five minutes has his operation taken over: a call that hangs is to fail before. */
const s3 = new S3Client({
  requestHandler: {
    connectionTimeout: 2_000,
    requestTimeout: 60_000,
    throwOnRequestTimeout: true,
    // Rows are inserted while a file is read, which has to wait for that.
    socketTimeout: 180_000,
  },
});

const ports: Ports = {
  registry,
  homes,
  databases: tenantDatabasesVia(lambda, config.migrationFunctionArn),
  apiKeys: apiKeysOf(apiGateway, tenantApi.usagePlanIds, { sharingPlans, namePrefix: apiKeyNamePrefix(stage) }),
  gateway: { flushAuthorizersCache: () => flushAuthorizerCache(apiGateway, tenantApi) },
  rows,
  exports: exportStoreIn(s3, config.exportBucket),
  cache: tenantCacheVia(lambda, config.tenantCacheFunctionArn),
  secrets: tenantSecretsOf(new SecretsManagerClient(), stage),
};
const publishing = eventPublishingOf(lambda, config.publisherFunctionArn);

/** Does what operators ask for, started with `{ operationId }`. */
export const handler = operationsFunction(ports, { publishing, answerSeconds: config.lateAnswerSeconds });

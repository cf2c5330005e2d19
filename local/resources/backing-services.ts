import { startApiGatewayManagement } from '../api-gateway-management/server.ts';
import { startDataApi } from '../data-api/server.ts';
import { startEventBridge, type TakenEvent } from '../event-bridge/server.ts';
import { ApiKeyStore } from '../gateway/api-keys.ts';
import { readApis } from '../gateway/definition.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { loginsOf, SecretStore } from '../secrets-manager/secret-store.ts';
import { startS3 } from '../s3/server.ts';
import { startSecretsManager } from '../secrets-manager/server.ts';
import type { DataFolder } from '../stack/data-folder.ts';
import type { Stoppables } from '../stack/stoppables.ts';
import type { Deployment } from '../template/deployment.ts';
import { type ClusterServers, readClusters, type RunningCluster } from './clusters.ts';
import { readBuckets } from './buckets.ts';
import { createSecrets } from './secrets.ts';

/** The databases and AWS endpoints that functions call. */
export interface BackingServices {
  readonly clusters: readonly RunningCluster[];
  readonly secrets: SecretStore;
  /** What gateways look keys up in, and functions change by API Gateway's management API. */
  readonly apiKeys: ApiKeyStore;
  /** Gateways whose authorizer caches that API flushes. Whoever makes one adds it. */
  readonly gateways: Gateway[];
  /** Told of what the event buses have taken. Whoever delivers it adds itself. */
  readonly eventListeners: ((taken: TakenEvent) => void)[];
  readonly dataApiUrl: string;
  /** Where the SDKs find the services: environment variables of their own making. */
  readonly endpoints: Readonly<Record<string, string>>;
}

/** Nothing listens there: a call to a service that does not exist here fails at once, instead of reaching AWS. */
const nowhere = 'http://127.0.0.1:1';

/** Starts what the template's clusters and secrets are on this machine. */
export async function startBackingServices(
  deployment: Deployment,
  servers: ClusterServers,
  folder: DataFolder,
  stoppables: Stoppables,
): Promise<BackingServices> {
  const secrets = SecretStore.open(folder.file('secrets.json'));
  await createSecrets(deployment, secrets);
  const clusters = await Promise.all(
    readClusters(deployment).map(async (cluster) => ({ ...cluster, server: await servers.of(cluster, secrets) })),
  );
  const apiKeys = new ApiKeyStore(folder.file('api-keys.json'));
  const gateways: Gateway[] = [];
  const eventListeners: BackingServices['eventListeners'] = [];
  const onEvent = (taken: TakenEvent): void => eventListeners.forEach((listener) => listener(taken));
  const flushAuthorizers = (apiId: string, stage: string): void =>
    gateways
      .filter(({ api }) => api.id === apiId && api.stage === stage)
      .forEach((gateway) => gateway.flushAuthorizersCache());
  const { region = '', account = '' } = deployment.resources[0]?.stack ?? {};
  const [dataApi, secretsManager, apiGateway, eventBridge, s3] = await Promise.all([
    stoppables.add(
      startDataApi({
        clusters: Object.fromEntries(clusters.map(({ arn, server: { host, port } }) => [arn, { host, port }])),
        secret: loginsOf(secrets),
      }),
    ),
    stoppables.add(startSecretsManager({ secrets, region, account })),
    stoppables.add(startApiGatewayManagement({ keys: apiKeys, apis: readApis(deployment), flushAuthorizers })),
    stoppables.add(startEventBridge({ file: folder.file('events.jsonl'), region, account, onEvent })),
    stoppables.add(startS3({ buckets: readBuckets(deployment, folder) })),
  ]);
  return {
    clusters,
    secrets,
    apiKeys,
    gateways,
    eventListeners,
    dataApiUrl: dataApi.url,
    endpoints: {
      AWS_ENDPOINT_URL: nowhere,
      AWS_ENDPOINT_URL_RDS_DATA: dataApi.url,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.url,
      AWS_ENDPOINT_URL_API_GATEWAY: apiGateway.url,
      AWS_ENDPOINT_URL_EVENTBRIDGE: eventBridge.url,
      AWS_ENDPOINT_URL_S3: s3.url,
    },
  };
}

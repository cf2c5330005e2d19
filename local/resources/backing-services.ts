import type { Stoppables } from '../stack/stoppables.ts';
import { startDataApi } from '../data-api/server.ts';
import type { Postgres } from '../postgres.ts';
import { loginsOf, SecretStore } from '../secrets-manager/secret-store.ts';
import { startSecretsManager } from '../secrets-manager/server.ts';
import type { Deployment } from '../template/deployment.ts';
import { type ClusterDefinition, type ClusterServers, readClusters } from './clusters.ts';
import { createSecrets } from './secrets.ts';

/** The databases and AWS endpoints that functions call. */
export interface BackingServices {
  readonly clusters: readonly (ClusterDefinition & { readonly server: Postgres })[];
  readonly secrets: SecretStore;
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
  secretsFile: string,
  stoppables: Stoppables,
): Promise<BackingServices> {
  const secrets = SecretStore.open(secretsFile);
  await createSecrets(deployment, secrets);
  const clusters: (ClusterDefinition & { server: Postgres })[] = [];
  for (const cluster of readClusters(deployment))
    clusters.push({ ...cluster, server: await servers.of(cluster, secrets) });
  const [dataApi, secretsManager] = await Promise.all([
    stoppables.add(
      startDataApi({
        clusters: Object.fromEntries(clusters.map(({ arn, server: { host, port } }) => [arn, { host, port }])),
        secret: loginsOf(secrets),
      }),
    ),
    stoppables.add(startSecretsManager({ secrets })),
  ]);
  return {
    clusters,
    secrets,
    dataApiUrl: dataApi.url,
    endpoints: {
      AWS_ENDPOINT_URL: nowhere,
      AWS_ENDPOINT_URL_RDS_DATA: dataApi.url,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.url,
    },
  };
}

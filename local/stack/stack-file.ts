import { mainCluster, mainDatabase } from '../../shared/contract/index.ts';
import type { RunningCluster } from '../resources/clusters.ts';
import { clusterNamed } from './named-clusters.ts';
import type { RunningStack } from './start-stack.ts';

/** What `stack.json` tells scripts about a running stack. */
export function describeStack(stack: RunningStack): object {
  const { services, clusters, arns, region } = stack;
  const ofEach = (read: (cluster: RunningCluster) => string): Record<string, string> =>
    Object.fromEntries(Object.entries(clusters).map(([name, cluster]) => [name, read(cluster)]));
  const urlOf = ({ server }: RunningCluster): string => server.url(mainDatabase);
  return {
    apiUrl: stack.apiUrl,
    controlPlaneUrl: stack.controlPlaneUrl,
    controlPlaneIamUrl: stack.controlPlaneIamUrl,
    awsCredentialsFile: stack.credentialsFile,
    issuerUrl: stack.issuerUrl,
    dataApiUrl: services.dataApiUrl,
    secretsManagerUrl: services.endpoints['AWS_ENDPOINT_URL_SECRETS_MANAGER'],
    apiGatewayUrl: services.endpoints['AWS_ENDPOINT_URL_API_GATEWAY'],
    eventBridgeUrl: services.endpoints['AWS_ENDPOINT_URL_EVENTBRIDGE'],
    lambdaUrl: stack.lambdaUrl,
    postgresUrl: urlOf(clusterNamed(clusters, mainCluster)),
    postgresUrls: ofEach(urlOf),
    redisUrl: stack.redisUrl,
    dashboardUrl: null,
    pid: process.pid,
    resources: {
      region,
      clusters: arns.clusters,
      masterSecrets: ofEach(({ masterSecretArn }) => masterSecretArn),
      roleSecrets: arns.roleSecrets,
      signingSecret: arns.signingSecret,
    },
  };
}

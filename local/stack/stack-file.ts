import { mainCluster, mainDatabase } from '../../shared/contract/index.ts';
import type { RunningStack } from './start-stack.ts';

/** What `stack.json` tells scripts about a running stack. */
export function describeStack(stack: RunningStack): object {
  const { services, arns, region } = stack;
  const cluster = services.clusters.find(({ database }) => database === mainDatabase);
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
    postgresUrl: cluster?.server.url(mainDatabase),
    redisUrl: stack.redisUrl,
    dashboardUrl: null,
    pid: process.pid,
    resources: {
      region,
      clusters: { [mainCluster]: cluster?.arn },
      masterSecrets: { [mainCluster]: cluster?.masterSecretArn },
      roleSecrets: arns.roleSecrets,
      signingSecret: arns.signingSecret,
    },
  };
}

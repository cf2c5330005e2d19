import { Stack } from 'aws-cdk-lib';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { environmentKeys, mainCluster, mainDatabase } from '../../shared/contract/index.ts';
import type { ClusterReference, ClusterReferences } from './data-api-access.ts';

/** The clusters that a function may use, each with the login that it uses there. */
export function clustersVariable(
  scope: Construct,
  clusters: ClusterReferences,
  loginOf: (cluster: ClusterReference) => ISecret,
): Record<string, string> {
  const entries = Object.entries(clusters).map(([name, cluster]) => [
    name,
    { resourceArn: cluster.clusterArn, secretArn: loginOf(cluster).secretArn },
  ]);
  return { [environmentKeys.clusters]: Stack.of(scope).toJsonString(Object.fromEntries(entries)) };
}

/** Where the registry of tenants is. */
export const registryVariable: Readonly<Record<string, string>> = {
  [environmentKeys.registry]: JSON.stringify({ cluster: mainCluster, database: mainDatabase }),
};

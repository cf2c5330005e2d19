import { Aws } from 'aws-cdk-lib';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { mainCluster, siloSecretPrefix } from '../../shared/contract/index.ts';
import { acknowledge } from './acknowledge.ts';
import { grant } from './grant.ts';
import type { ServiceFunction } from './service-function.ts';

/** What a client of the Data API may need. BatchExecuteStatement is left out: `tenancy.run_batch` does its work. */
export const dataApiActions = [
  'rds-data:ExecuteStatement',
  'rds-data:BeginTransaction',
  'rds-data:CommitTransaction',
  'rds-data:RollbackTransaction',
] as const;

/** A cluster as its users know it. */
export interface ClusterReference {
  readonly clusterArn: string;
  readonly masterSecret: ISecret;
}

/** Clusters by their name in the stage's configuration. */
export type ClusterReferences = Readonly<Record<string, ClusterReference>>;

/**
 * Lets `grantee` run statements on the clusters.
 * What it may see there depends on the login, which is granted apart, see {@link grantReadValue}.
 */
export function grantDataApi(
  grantee: IGrantable,
  clusters: ClusterReferences,
  actions: readonly (typeof dataApiActions)[number][] = dataApiActions,
): void {
  const clusterArns = Object.values(clusters).map((cluster) => cluster.clusterArn);
  grant(grantee, actions, clusterArns);
}

/** Lets `grantee` read the value of one secret, and nothing about it. */
export function grantReadValue(grantee: IGrantable, secret: ISecret): void {
  grant(grantee, ['secretsmanager:GetSecretValue'], [secret.secretArn]);
}

/**
 * Lets `service` log in to databases that are one tenant's alone, with the secrets that placements name. They are made with the tenants,
 * and none gets a caller further than the capability that it holds does.
 */
export function grantSiloLogins(service: ServiceFunction, stage: string): void {
  const secrets = `${siloSecretPrefix(stage)}*`;
  const arn = `arn:${Aws.PARTITION}:secretsmanager:${Aws.REGION}:${Aws.ACCOUNT_ID}:secret:${secrets}`;
  grant(service, ['secretsmanager:GetSecretValue'], [arn]);
  acknowledge(service.role, {
    [`AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:${secrets}]`]:
      'Logins of the databases that are one tenant’s alone, which are made at run time.',
  });
}

/** The cluster that holds the registry, by its name. */
export function registryClusters(clusters: ClusterReferences): ClusterReferences {
  return Object.fromEntries(Object.entries(clusters).filter(([name]) => name === mainCluster));
}

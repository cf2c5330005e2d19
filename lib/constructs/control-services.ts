import { Stack } from 'aws-cdk-lib';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { type ClusterCapacity, environmentKeys, quotaLimits } from '../../shared/contract/index.ts';
import type { IssuerConfig, StageConfig } from '../config.ts';
import { type ClusterReferences, grantDataApi, grantReadValue, registryClusters } from './data-api-access.ts';
import { clustersVariable, registryVariable } from './function-environment.ts';
import { ServiceFunction, stageSettings } from './service-function.ts';

/** What the control plane shares with the other stacks. Never the signing key: it acts for no tenant. */
export interface ControlPlane {
  readonly config: StageConfig;
  readonly clusters: ClusterReferences;
  /** Login of the role that reads and writes the registry, and no tenant's data. */
  readonly login: ISecret;
  readonly issuers: readonly IssuerConfig[];
}

/** The authorizer of operators: all that it needs to know is in the token. */
export function operatorAuthorizerService(scope: Construct, { config, issuers }: ControlPlane): ServiceFunction {
  return new ServiceFunction(scope, 'OperatorAuthorizer', {
    name: 'operator-authorizer',
    description: 'Verifies tokens of operators',
    ...stageSettings(config),
    environment: { [environmentKeys.issuers]: Stack.of(scope).toJsonString(issuers) },
  });
}

/** A service for operators. It joins no network. Beside the registry it asks each cluster how many connections it has. */
export function controlService(scope: Construct, name: string, plane: ControlPlane): ServiceFunction {
  const service = new ServiceFunction(scope, `Control-${name}`, {
    name,
    description: `Control plane service ${name}`,
    ...stageSettings(plane.config),
    environment: {
      ...registryVariable,
      ...clustersVariable(scope, plane.clusters, () => plane.login),
      ...quotasVariable(plane.config),
      ...capacityVariable(plane.config),
    },
  });
  grantDataApi(service, plane.clusters, ['rds-data:ExecuteStatement']);
  grantReadValue(service, plane.login);
  return service;
}

function quotasVariable({ quotas }: StageConfig): Record<string, string> {
  return Object.keys(quotas).length > 0 ? { [environmentKeys.quotaLimits]: JSON.stringify(quotas) } : {};
}

/** What clusters take of new tenants; where a limit is not given, there is advice on how many schemas and databases are good for one. */
function capacityVariable({ clusters, quotas }: StageConfig): Record<string, string> {
  const { schemasPerCluster: bridge, databasesPerCluster: silo } = { ...quotaLimits, ...quotas };
  const capacity = Object.entries(clusters).map(([name, { models, limits, drained }]): [string, ClusterCapacity] => [
    name,
    { models, limits: { bridge, silo, ...limits }, drained },
  ]);
  return { [environmentKeys.clusterCapacity]: JSON.stringify(Object.fromEntries(capacity)) };
}

/** Where the registry is, and how to log in to it. */
export function registryEnvironment(scope: Construct, plane: ControlPlane): Record<string, string> {
  return { ...clustersVariable(scope, registryClusters(plane.clusters), () => plane.login), ...registryVariable };
}

/** Reading and writing the registry. Every statement is one call, so nobody begins transactions. */
export function grantRegistry(grantee: ServiceFunction, plane: ControlPlane): void {
  grantDataApi(grantee, registryClusters(plane.clusters), ['rds-data:ExecuteStatement']);
  grantReadValue(grantee, plane.login);
}

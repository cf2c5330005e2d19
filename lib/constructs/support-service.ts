import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { environmentKeys } from '../../shared/contract/index.ts';
import type { ControlPlane } from './control-services.ts';
import { grantDataApi, grantReadValue, grantSiloLogins } from './data-api-access.ts';
import { clustersVariable, registryVariable } from './function-environment.ts';
import { ServiceFunction, stageSettings } from './service-function.ts';

/** What it takes to act for a tenant, which nothing else of the control plane can. */
export interface TenantAccess {
  /** Login of the application role. */
  readonly login: ISecret;
  readonly signingKey: ISecret;
}

/**
 * The service by which operators read what a tenant has. It runs no code of tenants' services, joins no network, and cannot commit: its
 * transactions are rolled back.
 */
export function supportService(scope: Construct, plane: ControlPlane, access: TenantAccess): ServiceFunction {
  const service = new ServiceFunction(scope, 'Control-support', {
    name: 'support',
    description: 'Control plane service support',
    ...stageSettings(plane.config),
    environment: {
      ...clustersVariable(scope, plane.clusters, () => access.login),
      ...registryVariable,
      [environmentKeys.registrySecretArn]: plane.login.secretArn,
      [environmentKeys.signingSecretArn]: access.signingKey.secretArn,
    },
  });
  const actions = ['rds-data:BeginTransaction', 'rds-data:ExecuteStatement', 'rds-data:RollbackTransaction'] as const;
  grantDataApi(service, plane.clusters, actions);
  for (const secret of [plane.login, access.login, access.signingKey]) grantReadValue(service, secret);
  grantSiloLogins(service, plane.config.stage);
  return service;
}

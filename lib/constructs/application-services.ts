import type { ISecurityGroup, IVpc } from 'aws-cdk-lib/aws-ec2';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Duration, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { type DatabaseRole, environmentKeys } from '../../shared/contract/index.ts';
import type { IssuerConfig, StageConfig } from '../config.ts';
import {
  type ClusterReferences,
  grantDataApi,
  grantReadValue,
  grantSiloLogins,
  registryClusters,
} from './data-api-access.ts';
import { clustersVariable, registryVariable } from './function-environment.ts';
import { countLimiterFallbacks } from './limiter-fallbacks.ts';
import { ServiceFunction, stageSettings } from './service-function.ts';
import type { ValkeyCache } from './valkey-cache.ts';

/** What the application plane shares with the other stacks. */
export interface ApplicationPlane {
  readonly config: StageConfig;
  readonly clusters: ClusterReferences;
  readonly logins: Readonly<Record<DatabaseRole, ISecret>>;
  readonly signingKey: ISecret;
  readonly issuers: readonly IssuerConfig[];
  readonly cache: ValkeyCache;
  readonly network: { readonly vpc: IVpc; readonly securityGroup: ISecurityGroup };
}

/** The authorizer: the only function of the application plane that can read the signing key. It joins no network. */
export function authorizerService(scope: Construct, plane: ApplicationPlane): ServiceFunction {
  const registry = registryClusters(plane.clusters);
  const service = new ServiceFunction(scope, 'Authorizer', {
    name: 'authorizer',
    description: 'Verifies tokens and mints capabilities',
    ...stageSettings(plane.config),
    environment: {
      ...clustersVariable(scope, registry, () => plane.logins.authorizer),
      ...registryVariable,
      [environmentKeys.signingSecretArn]: plane.signingKey.secretArn,
      [environmentKeys.issuers]: Stack.of(scope).toJsonString(plane.issuers),
    },
  });
  grantDataApi(service, registry, ['rds-data:ExecuteStatement']);
  grantReadValue(service, plane.logins.authorizer);
  grantReadValue(service, plane.signingKey);
  return service;
}

/** A service of tenants: it logs in as the application role, which owns nothing and sees a tenant only with a capability. */
export function tenantService(scope: Construct, name: string, plane: ApplicationPlane): ServiceFunction {
  const service = new ServiceFunction(scope, `Service-${name}`, {
    name,
    description: `Service ${name}`,
    ...stageSettings(plane.config),
    network: plane.network,
    environment: {
      ...clustersVariable(scope, plane.clusters, () => plane.logins.app),
      ...registryVariable,
      [environmentKeys.cacheUrl]: plane.cache.url,
      [environmentKeys.limitsWhenUnavailable]: plane.config.limits.whenUnavailable,
      [environmentKeys.baseDomains]: JSON.stringify(plane.config.baseDomains),
      ...originsVariable(plane.config),
    },
  });
  grantDataApi(service, plane.clusters);
  grantReadValue(service, plane.logins.app);
  grantSiloLogins(service, plane.config.stage);
  plane.cache.grantConnect(service);
  countLimiterFallbacks(service.logGroup);
  return service;
}

/** What purges or invalidates the cache of a tenant, for those outside of the network; it reaches the cache and nothing else. */
export function tenantCacheService(scope: Construct, plane: ApplicationPlane): ServiceFunction {
  const service = new ServiceFunction(scope, 'TenantCache', {
    name: 'tenant-cache',
    description: 'Purges or invalidates the cache of a tenant',
    ...stageSettings(plane.config),
    // It goes through all keys of the cache.
    timeout: Duration.minutes(5),
    network: plane.network,
    environment: { [environmentKeys.cacheUrl]: plane.cache.url },
  });
  plane.cache.grantConnect(service);
  return service;
}

/** A service that answers anyone, and therefore can reach nothing. */
export function publicService(scope: Construct, name: string, config: StageConfig): ServiceFunction {
  return new ServiceFunction(scope, `Service-${name}`, {
    name,
    description: `Service ${name}`,
    ...stageSettings(config),
    environment: originsVariable(config),
  });
}

function originsVariable({ corsAllowedOrigins }: StageConfig): Record<string, string> {
  if (corsAllowedOrigins.length === 0) return {};
  return { [environmentKeys.allowedOrigins]: JSON.stringify(corsAllowedOrigins) };
}

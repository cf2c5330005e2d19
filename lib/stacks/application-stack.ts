import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { UsagePlan } from 'aws-cdk-lib/aws-apigateway';
import type { Construct } from 'constructs';
import { type PlanName, publicServices, services, stackOutputs } from '../../shared/contract/index.ts';
import type { IssuerConfig, StageConfig } from '../config.ts';
import {
  authorizerService,
  publicService,
  tenantCacheService,
  tenantService,
} from '../constructs/application-services.ts';
import { ServiceApi } from '../constructs/service-api.ts';
import type { ServiceFunction } from '../constructs/service-function.ts';
import { addUsagePlans } from '../constructs/usage-plans.ts';
import type { DataStack } from './data-stack.ts';
import type { NetworkStack } from './network-stack.ts';

export interface ApplicationStackProps extends StackProps {
  readonly config: StageConfig;
  readonly network: NetworkStack;
  readonly data: DataStack;
  readonly issuers: readonly IssuerConfig[];
}

/** The application plane: the API, its authorizer, and a function a service. */
export class ApplicationStack extends Stack {
  readonly api: ServiceApi;
  readonly authorizer: ServiceFunction;
  /** Purges the cache of a tenant. */
  readonly tenantCache: ServiceFunction;
  /** Functions by service, authorizer included. */
  readonly functions: Readonly<Record<string, ServiceFunction>>;
  readonly usagePlans: Readonly<Record<PlanName, UsagePlan>>;

  constructor(scope: Construct, id: string, props: ApplicationStackProps) {
    super(scope, id, props);
    const { config, network, data, issuers } = props;
    const plane = {
      config,
      issuers,
      clusters: data.clusters,
      logins: data.logins,
      signingKey: data.signingKey,
      cache: data.cache,
      network: { vpc: network.vpc, securityGroup: network.applicationSecurityGroup },
    };
    const functions: Record<string, ServiceFunction> = {};
    this.functions = functions;
    this.authorizer = functions['authorizer'] = authorizerService(this, plane);
    this.api = new ServiceApi(this, 'TenantApi', {
      config,
      description: `Tenantry, stage ${config.stage}`,
      authorizer: this.authorizer.function,
      throttle: config.api,
      countsByKey: true,
      ownsAccountLogRole: config.api.ownsAccountLogRole,
      corsAllowedOrigins: config.corsAllowedOrigins,
    });
    for (const [name, routes] of Object.entries(services)) {
      const service = (functions[name] = tenantService(this, name, plane));
      this.api.addGuardedRoutes(service.function, routes);
    }
    this.tenantCache = functions['tenant-cache'] = tenantCacheService(this, plane);
    for (const [name, routes] of Object.entries(publicServices)) {
      const service = (functions[name] = publicService(this, name, config));
      this.api.addPublicRoutes(service.function, routes);
    }
    this.usagePlans = addUsagePlans(this.api.restApi, this.api.restApi.deploymentStage, config.stage);
    new CfnOutput(this, stackOutputs.apiUrl, { value: this.api.restApi.url });
    for (const [plan, usagePlan] of Object.entries(this.usagePlans)) {
      new CfnOutput(this, `UsagePlan${plan}`, { value: usagePlan.usagePlanId });
    }
  }
}

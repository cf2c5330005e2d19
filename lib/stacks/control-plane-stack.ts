import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { controlServices, stackOutputs } from '../../shared/contract/index.ts';
import type { IssuerConfig, StageConfig } from '../config.ts';
import { CacheInvalidation } from '../constructs/cache-invalidation.ts';
import { controlService, operatorAuthorizerService } from '../constructs/control-services.ts';
import { EventPublisher } from '../constructs/event-publisher.ts';
import { OperationRestarter } from '../constructs/operation-restarter.ts';
import { OperationsFunction } from '../constructs/operations-function.ts';
import { OperatorPolicy } from '../constructs/operator-policy.ts';
import { ServiceApi } from '../constructs/service-api.ts';
import { supportService } from '../constructs/support-service.ts';
import type { ServiceFunction } from '../constructs/service-function.ts';
import type { ApplicationStack } from './application-stack.ts';
import type { DataStack } from './data-stack.ts';

export interface ControlPlaneStackProps extends StackProps {
  readonly config: StageConfig;
  readonly data: DataStack;
  readonly application: ApplicationStack;
  readonly issuers: readonly IssuerConfig[];
}

/** Far more than operators and their scripts need, and far less than would wear the registry out. */
const throttle = { rateLimit: 50, burstLimit: 100 };

/** The control plane: an API for operators with its authorizer, the same for AWS principals, and a function a service. */
export class ControlPlaneStack extends Stack {
  /** Functions by service, authorizer included. */
  readonly functions: Readonly<Record<string, ServiceFunction>>;

  constructor(scope: Construct, id: string, props: ControlPlaneStackProps) {
    super(scope, id, props);
    const { config, data, application, issuers } = props;
    const plane = { config, issuers, clusters: data.clusters, login: data.logins.control };
    const authorizer = operatorAuthorizerService(this, plane);
    const functions: Record<string, ServiceFunction> = { 'operator-authorizer': authorizer };
    this.functions = functions;
    const description = `Tenantry control plane, stage ${config.stage}`;
    const common = { config, throttle };
    // Two doors to the same functions: a method of API Gateway asks an authorizer or verifies signatures, not either.
    const api = new ServiceApi(this, 'ControlApi', {
      ...common,
      name: 'control',
      description,
      authorizer: authorizer.function,
    });
    const iamApi = new ServiceApi(this, 'ControlIamApi', {
      ...common,
      name: 'control-iam',
      description: `${description}, with AWS credentials`,
      authorizer: 'aws-iam',
    });
    const operations = new OperationsFunction(
      this,
      'Operations',
      { ...plane, login: data.logins.operations },
      {
        restApi: application.api.restApi,
        usagePlans: application.usagePlans,
        tenantCache: application.tenantCache.function,
        migrations: data.migrations.service.function,
        exports: data.exports,
      },
    );
    functions['operations'] = operations.service;
    functions['restart-operations'] = new OperationRestarter(this, 'OperationRestarter', plane, operations).service;
    const publisher = new EventPublisher(this, 'Events', plane);
    publisher.wokenBy(operations.service);
    new CacheInvalidation(this, 'CacheInvalidation', publisher.bus, application.tenantCache.function);
    functions['publish-events'] = publisher.service;
    const services: Readonly<Record<keyof typeof controlServices, ServiceFunction>> = {
      'control-plane': controlService(this, 'control-plane', plane),
      support: supportService(this, plane, { login: data.logins.app, signingKey: data.signingKey }),
    };
    operations.startedBy(services['control-plane']);
    data.migrations.startedBy(services['control-plane']);
    for (const [name, routes] of Object.entries(controlServices))
      for (const door of [api, iamApi])
        door.addGuardedRoutes(services[name as keyof typeof controlServices].function, routes);
    Object.assign(functions, services);
    new CfnOutput(this, stackOutputs.controlPlaneUrl, { value: api.restApi.url });
    new CfnOutput(this, stackOutputs.controlPlaneIamUrl, { value: iamApi.restApi.url });
    const policy = new OperatorPolicy(this, 'OperatorPolicy', { config, api: iamApi });
    new CfnOutput(this, stackOutputs.operatorPolicyArn, { value: policy.managedPolicyArn });
  }
}

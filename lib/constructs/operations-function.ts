import { Aws, type CfnElement, Duration, Stack } from 'aws-cdk-lib';
import type { RestApi, UsagePlan } from 'aws-cdk-lib/aws-apigateway';
import { Grant, Policy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Alias, type IFunction, type IVersion } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { environmentKeys, type PlanName } from '../../shared/contract/index.ts';
import { acknowledge } from './acknowledge.ts';
import { type ControlPlane, grantRegistry, registryEnvironment } from './control-services.ts';
import { ServiceFunction } from './service-function.ts';

/** The API whose keys and caches operations change. */
export interface TenantApi {
  readonly restApi: RestApi;
  readonly usagePlans: Readonly<Record<PlanName, UsagePlan>>;
}

/** The durable function that does what operators ask for. */
export class OperationsFunction extends Construct {
  readonly service: ServiceFunction;
  /** What starts an execution. It runs to its end in the version with which it began, whatever is deployed meanwhile. */
  readonly live: IFunction;

  constructor(scope: Construct, id: string, plane: ControlPlane, tenantApi: TenantApi) {
    super(scope, id);
    this.service = new ServiceFunction(this, 'Operations', {
      name: 'operations',
      description: 'Does what operators ask for',
      stage: plane.config.stage,
      logRetention: plane.config.logRetentionDays,
      timeout: Duration.minutes(15),
      durableConfig: { executionTimeout: Duration.days(1), retentionPeriod: Duration.days(30) },
      environment: { ...registryEnvironment(scope, plane), ...tenantApiVariable(scope, tenantApi) },
    });
    const version = this.service.function.currentVersion as IVersion;
    this.live = new Alias(this, 'Live', { aliasName: 'live', version }) as IFunction;
    grantRegistry(this.service, plane);
    this.grantDurability();
    this.grantApiKeys(tenantApi);
  }

  /** Lets a function start operations, and tells it how. */
  startedBy(starter: ServiceFunction): void {
    const [actions, resourceArns] = [['lambda:InvokeFunction'], [this.live.functionArn]];
    Grant.addToPrincipal({ grantee: starter, actions, resourceArns }).assertSuccess();
    starter.function.addEnvironment(environmentKeys.operationsFunctionArn, this.live.functionArn);
  }

  /** Writing down what is done, and reading it again. */
  private grantDurability(): void {
    // A policy of its own: the function waits for those of its role, and this one names the function.
    const policy = new Policy(this, 'Durability', {
      statements: [
        new PolicyStatement({
          actions: ['lambda:CheckpointDurableExecution', 'lambda:GetDurableExecutionState'],
          resources: [`${this.service.function.functionArn}:*`],
        }),
      ],
      roles: [this.service.role],
    });
    const functionId = Stack.of(this).getLogicalId(this.service.function.node.defaultChild as CfnElement);
    acknowledge(policy, {
      [`AwsSolutions-IAM5[Resource::<${functionId}.Arn>:*]`]: 'Executions of every version of this one function.',
    });
  }

  /** Keys have random ids, of which no policy can know whose they are; plans and the stage are those of this API. */
  private grantApiKeys({ restApi, usagePlans }: TenantApi): void {
    const arn = (path: string) => `arn:${Aws.PARTITION}:apigateway:${Aws.REGION}::${path}`;
    const keysOfPlans = Object.values(usagePlans).map((plan) => arn(`/usageplans/${plan.usagePlanId}/keys`));
    const grants = {
      'apigateway:GET': [arn('/apikeys'), arn('/usageplans')],
      'apigateway:POST': [arn('/apikeys'), ...keysOfPlans],
      'apigateway:DELETE': [
        arn('/apikeys/*'),
        ...keysOfPlans.map((keys) => `${keys}/*`),
        arn(`/restapis/${restApi.restApiId}/stages/${restApi.deploymentStage.stageName}/cache/authorizers`),
      ],
    };
    for (const [action, resourceArns] of Object.entries(grants))
      Grant.addToPrincipal({ grantee: this.service, actions: [action], resourceArns }).assertSuccess();
    const wildcards = [
      '/apikeys/*',
      ...Object.values(usagePlans).map((plan) => `/usageplans/${exportOf(plan)}/keys/*`),
    ];
    for (const path of wildcards)
      acknowledge(this.service.role, {
        [`AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:apigateway:<AWS::Region>::${path}]`]:
          'API keys have no names in ARNs, only random ids.',
      });
  }
}

/** What another stack calls the plan's id. */
function exportOf(plan: UsagePlan): string {
  const { 'Fn::ImportValue': name } = Stack.of(plan).resolve(Stack.of(plan).exportValue(plan.usagePlanId)) as Import;
  return name;
}
interface Import {
  readonly 'Fn::ImportValue': string;
}

function tenantApiVariable(scope: Construct, { restApi, usagePlans }: TenantApi): Record<string, string> {
  const usagePlanIds = Object.fromEntries(Object.entries(usagePlans).map(([name, plan]) => [name, plan.usagePlanId]));
  const tenantApi = { restApiId: restApi.restApiId, stageName: restApi.deploymentStage.stageName, usagePlanIds };
  return { [environmentKeys.tenantApi]: Stack.of(scope).toJsonString(tenantApi) };
}

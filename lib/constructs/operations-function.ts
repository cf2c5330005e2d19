import { Aws, Duration, Stack } from 'aws-cdk-lib';
import type { RestApi, UsagePlan } from 'aws-cdk-lib/aws-apigateway';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct, type IConstruct } from 'constructs';
import { environmentKeys, exportsFolder, type PlanName } from '../../shared/contract/index.ts';
import { acknowledge } from './acknowledge.ts';
import { grantDataApi } from './data-api-access.ts';
import { clustersVariable, registryVariable } from './function-environment.ts';
import { durableAlias } from './durable-alias.ts';
import type { ExportBucket } from './export-bucket.ts';
import { type ControlPlane, grantRegistry } from './control-services.ts';
import { grant } from './grant.ts';
import { ServiceFunction, stageSettings } from './service-function.ts';

/** What operations change besides the registry and tenants' rows. */
export interface TenantPlane {
  /** The API of tenants, with its keys and its cache of authorizers. */
  readonly restApi: RestApi;
  readonly usagePlans: Readonly<Record<PlanName, UsagePlan>>;
  /** What purges their cache. */
  readonly tenantCache: IFunction;
  /** What makes and drops databases of tenants' own. */
  readonly migrations: IFunction;
  readonly exports: ExportBucket;
}

/** The durable function that does what operators ask for. */
export class OperationsFunction extends Construct {
  readonly service: ServiceFunction;
  /** What starts an execution. It runs to its end in the version with which it began, whatever is deployed meanwhile. */
  readonly live: IFunction;

  constructor(scope: Construct, id: string, plane: ControlPlane, tenantPlane: TenantPlane) {
    super(scope, id);
    this.service = new ServiceFunction(this, 'Operations', {
      name: 'operations',
      description: 'Does what operators ask for',
      ...stageSettings(plane.config),
      timeout: Duration.minutes(15),
      durableConfig: { executionTimeout: Duration.days(1), retentionPeriod: Duration.days(30) },
      environment: {
        ...clustersVariable(scope, plane.clusters, () => plane.login),
        ...registryVariable,
        ...tenantApiVariable(scope, tenantPlane),
        [environmentKeys.exportBucket]: tenantPlane.exports.bucket.bucketName,
        [environmentKeys.tenantCacheFunctionArn]: tenantPlane.tenantCache.functionArn,
        [environmentKeys.migrationFunctionArn]: tenantPlane.migrations.functionArn,
        [environmentKeys.lateAnswerSeconds]: String(plane.config.lateAnswerSeconds),
      },
    });
    this.live = durableAlias(this, this.service).live;
    grantRegistry(this.service, plane);
    // Rows are exported in one transaction, of which nothing is kept.
    grantDataApi(this.service, plane.clusters, [
      'rds-data:ExecuteStatement',
      'rds-data:BeginTransaction',
      'rds-data:RollbackTransaction',
    ]);
    this.grantApiKeys(tenantPlane);
    this.grantErasure(tenantPlane);
  }

  /** Lets a function start operations, and tells it how. */
  startedBy(starter: ServiceFunction): void {
    grant(starter, ['lambda:InvokeFunction'], [this.live.functionArn]);
    starter.function.addEnvironment(environmentKeys.operationsFunctionArn, this.live.functionArn);
  }

  /** Exports, the cache, databases, and whether a tenant has secrets. */
  private grantErasure({ tenantCache, migrations, exports }: TenantPlane): void {
    exports.grantExports(this.service);
    grant(this.service, ['lambda:InvokeFunction'], [tenantCache.functionArn, migrations.functionArn]);
    grant(this.service, ['secretsmanager:ListSecrets'], ['*']);
    // Whether one that is listed is still there, whatever its name. That does not tell what is in it.
    const secrets = `${Aws.PARTITION}:secretsmanager:${Aws.REGION}:${Aws.ACCOUNT_ID}:secret:*`;
    grant(this.service, ['secretsmanager:DescribeSecret'], [`arn:${secrets}`]);
    acknowledge(this.service.role, {
      [`AwsSolutions-IAM5[Resource::${importNameOf(exports.bucket, exports.bucket.bucketArn)}/${exportsFolder}*]`]:
        'Exports of all tenants.',
      'AwsSolutions-IAM5[Resource::*]': 'Listing secrets has no resources to name, nor has X-Ray.',
      'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:*]':
        'Secrets of a tenant are found by their tags, whatever their names.',
    });
  }

  /** Keys have random ids, of which no policy can know whose they are; plans and the stage are those of this API. */
  private grantApiKeys({ restApi, usagePlans }: TenantPlane): void {
    const arn = (path: string) => `arn:${Aws.PARTITION}:apigateway:${Aws.REGION}::${path}`;
    const keysOfPlans = Object.values(usagePlans).map((plan) => arn(`/usageplans/${plan.usagePlanId}/keys`));
    grant(this.service, ['apigateway:GET'], [arn('/apikeys'), arn('/apikeys/*'), arn('/usageplans')]);
    grant(this.service, ['apigateway:POST'], [arn('/apikeys'), ...keysOfPlans]);
    grant(
      this.service,
      ['apigateway:DELETE'],
      [
        arn('/apikeys/*'),
        ...keysOfPlans.map((keys) => `${keys}/*`),
        arn(`/restapis/${restApi.restApiId}/stages/${restApi.deploymentStage.stageName}/cache/authorizers`),
      ],
    );
    const wildcards = [
      '/apikeys/*',
      ...Object.values(usagePlans).map((plan) => `/usageplans/${importNameOf(plan, plan.usagePlanId)}/keys/*`),
    ];
    for (const path of wildcards)
      acknowledge(this.service.role, {
        [`AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:apigateway:<AWS::Region>::${path}]`]:
          'API keys have no names in ARNs, only random ids.',
      });
  }
}

/** What another stack calls a value. */
function importNameOf(owner: IConstruct, value: string): string {
  const { 'Fn::ImportValue': name } = Stack.of(owner).resolve(Stack.of(owner).exportValue(value)) as Import;
  return name;
}

interface Import {
  readonly 'Fn::ImportValue': string;
}

function tenantApiVariable(scope: Construct, { restApi, usagePlans }: TenantPlane): Record<string, string> {
  const usagePlanIds = Object.fromEntries(Object.entries(usagePlans).map(([name, plan]) => [name, plan.usagePlanId]));
  const tenantApi = { restApiId: restApi.restApiId, stageName: restApi.deploymentStage.stageName, usagePlanIds };
  return { [environmentKeys.tenantApi]: Stack.of(scope).toJsonString(tenantApi) };
}

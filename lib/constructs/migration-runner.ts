import { Aws, Duration, Stack } from 'aws-cdk-lib';
import { Policy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Trigger } from 'aws-cdk-lib/triggers';
import { Construct } from 'constructs';
import { type DatabaseRole, environmentKeys, siloSecretPrefix } from '../../shared/contract/index.ts';
import { acknowledge } from './acknowledge.ts';
import { type ClusterReferences, grantDataApi, grantReadValue } from './data-api-access.ts';
import { type DurableAlias, durableAlias } from './durable-alias.ts';
import { clustersVariable, registryVariable } from './function-environment.ts';
import { grant } from './grant.ts';
import { ServiceFunction, type StageSettings } from './service-function.ts';

export interface MigrationRunnerProps extends StageSettings {
  readonly clusters: ClusterReferences;
  readonly logins: Readonly<Record<DatabaseRole, ISecret>>;
  readonly signingKey: ISecret;
  /** What must be there before statements can run. */
  readonly after: readonly Construct[];
}

/** Longest run that Lambda allows. What has not finished by then goes on, where it stopped, in `fleet`. */
const timeout = Duration.minutes(15);

const siloLoginActions = [
  'secretsmanager:CreateSecret',
  'secretsmanager:DeleteSecret',
  'secretsmanager:DescribeSecret',
  'secretsmanager:GetSecretValue',
  'secretsmanager:TagResource',
];

/**
 * Brings every database up to date while the stack is deployed: a failing migration fails the deployment,
 * and a new or changed file in migrations/ changes the function and thereby runs it again. Makes databases of tenants' own, too.
 */
export class MigrationRunner extends Construct {
  readonly service: ServiceFunction;
  /** Has the runner go on with what a deployment had no time for. */
  readonly fleet: ServiceFunction;
  /** What starts that. */
  private readonly live: DurableAlias['live'];

  constructor(scope: Construct, id: string, props: MigrationRunnerProps) {
    super(scope, id);
    this.fleet = new ServiceFunction(this, 'Fleet', {
      name: 'migrate-fleet',
      description: 'Goes on with migrations for which a deployment had no time',
      stage: props.stage,
      logRetention: props.logRetention,
      memoryMegabytes: 256,
      timeout,
      durableConfig: { executionTimeout: Duration.days(1), retentionPeriod: Duration.days(30) },
    });
    const { live, durability } = durableAlias(this, this.fleet);
    this.live = live;
    this.service = new ServiceFunction(this, 'Migrate', {
      name: 'migrate',
      description: 'Creates databases and roles, and applies migrations',
      stage: props.stage,
      logRetention: props.logRetention,
      memoryMegabytes: 512,
      timeout,
      folders: ['migrations'],
      environment: this.environment(props, live),
    });
    grantDataApi(this.service, props.clusters, ['rds-data:ExecuteStatement']);
    const secrets = Object.values(props.clusters).map((cluster) => cluster.masterSecret);
    for (const secret of [...secrets, ...Object.values(props.logins), props.signingKey])
      grantReadValue(this.service, secret);
    this.grantSiloLogins(props.stage);
    grant(this.service, ['lambda:InvokeFunction'], [live.functionArn]);
    // A policy of its own, since the two functions name each other.
    const goingOn = new Policy(this, 'GoingOn', {
      statements: [
        new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [this.service.function.functionArn] }),
      ],
      roles: [this.fleet.role],
    });
    new Trigger(this, 'OnDeploy', {
      handler: this.service.function,
      timeout,
      executeAfter: [...props.after, this.service.role, durability, goingOn],
    });
  }

  /** Lets a function start a run of the fleet, and tells it how. That it may not ask the runner itself, which can do more, is on purpose. */
  startedBy(starter: ServiceFunction): void {
    grant(starter, ['lambda:InvokeFunction'], [this.live.functionArn]);
    starter.function.addEnvironment(environmentKeys.fleetFunctionArn, this.live.functionArn);
    starter.function.addEnvironment(environmentKeys.migrationFunctionArn, this.service.function.functionArn);
  }

  /** Logins of databases of tenants' own, which are made when there are tenants. */
  private grantSiloLogins(stage: string): void {
    const name = `${siloSecretPrefix(stage)}*`;
    const arn = `arn:${Aws.PARTITION}:secretsmanager:${Aws.REGION}:${Aws.ACCOUNT_ID}:secret:${name}`;
    grant(this.service, siloLoginActions, [arn]);
    acknowledge(this.service.role, {
      [`AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:${name}]`]:
        'Logins of all databases that are one tenant’s alone.',
    });
  }

  private environment(props: MigrationRunnerProps, live: DurableAlias['live']): Record<string, string> {
    const roleSecretArns = Object.entries(props.logins).map(([role, secret]) => [role, secret.secretArn]);
    return {
      ...clustersVariable(this, props.clusters, (cluster) => cluster.masterSecret),
      ...registryVariable,
      [environmentKeys.roleSecretArns]: Stack.of(this).toJsonString(Object.fromEntries(roleSecretArns)),
      [environmentKeys.signingSecretArn]: props.signingKey.secretArn,
      [environmentKeys.fleetFunctionArn]: live.functionArn,
    };
  }
}

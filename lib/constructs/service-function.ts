import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { type ISecurityGroup, type IVpc, SubnetType } from 'aws-cdk-lib/aws-ec2';
import { Effect, type IGrantable, type IPrincipal, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { environmentKeys, metricsNamespace } from '../../shared/contract/index.ts';
import { acknowledge } from './acknowledge.ts';
import { bundledCode } from '../bundling/bundled-code.ts';
import type { StageConfig } from '../config.ts';

/** What is the same for every function of a stage. */
export interface StageSettings {
  readonly stage: string;
  readonly logRetention: RetentionDays;
}

/** Picks them from the stage's configuration. */
export function stageSettings({ stage, logRetentionDays }: StageConfig): StageSettings {
  return { stage, logRetention: logRetentionDays };
}

export interface ServiceFunctionProps extends StageSettings {
  /** Folder below functions/, which is also the service's name in logs and metrics. */
  readonly name: string;
  readonly description: string;
  /** Variables beyond those that every function has. @default none */
  readonly environment?: Readonly<Record<string, string>>;
  /** @default 1024, where a function has more than half a processor to start with */
  readonly memoryMegabytes?: number;
  /** @default 28 seconds: API Gateway gives up after 29, and the function should be the one to say so */
  readonly timeout?: Duration;
  /** Network that the function joins. @default none: it reaches AWS's own endpoints only */
  readonly network?: { readonly vpc: IVpc; readonly securityGroup: ISecurityGroup };
  /** Folders of the repository that are deployed beside the code. @default none */
  readonly folders?: readonly string[];
  /** Makes it a durable function, see `durableAlias`. It cannot become one, nor stop being one, later. @default not */
  readonly durableConfig?: lambda.DurableConfig;
}

/** A Lambda function made from `functions/<name>/handler.ts`, with a role and a log group of its own and nothing granted. */
export class ServiceFunction extends Construct implements IGrantable {
  readonly function: lambda.Function;
  readonly logGroup: LogGroup;
  readonly role: Role;
  readonly grantPrincipal: IPrincipal;

  constructor(scope: Construct, id: string, props: ServiceFunctionProps) {
    super(scope, id);
    this.logGroup = new LogGroup(this, 'Logs', { retention: props.logRetention, removalPolicy: RemovalPolicy.DESTROY });
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `${props.description} (${props.stage})`,
    });
    this.grantPrincipal = this.role;
    this.logGroup.grantWrite(this.role);
    if (props.network) allowNetworkInterfaces(this.role);
    this.function = new lambda.Function(this, 'Function', {
      description: props.description,
      code: bundledCode(props.name, { folders: props.folders ?? [] }),
      handler: 'index.handler',
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      memorySize: props.memoryMegabytes ?? 1024,
      timeout: props.timeout ?? Duration.seconds(28),
      role: this.role,
      logGroup: this.logGroup,
      tracing: lambda.Tracing.ACTIVE,
      environment: { ...commonEnvironment(props), ...props.environment },
      ...(props.durableConfig && { durableConfig: props.durableConfig }),
      ...(props.network && {
        vpc: props.network.vpc,
        vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
        securityGroups: [props.network.securityGroup],
      }),
    });
    acknowledge(this.role, {
      'AwsSolutions-IAM5[Resource::*]':
        'X-Ray has no resources to name, nor have the network interfaces that Lambda makes for a function in a VPC.',
    });
  }
}

function commonEnvironment(props: ServiceFunctionProps): Record<string, string> {
  return {
    [environmentKeys.stage]: props.stage,
    POWERTOOLS_SERVICE_NAME: props.name,
    POWERTOOLS_METRICS_NAMESPACE: metricsNamespace,
    NODE_OPTIONS: '--enable-source-maps',
  };
}

const networkInterfaceActions = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

/** What Lambda needs to attach a function to a VPC, denied to the function's own code, which runs under the same role. */
function allowNetworkInterfaces(role: Role): void {
  role.addToPolicy(new PolicyStatement({ actions: networkInterfaceActions, resources: ['*'] }));
  role.addToPolicy(
    new PolicyStatement({
      effect: Effect.DENY,
      actions: networkInterfaceActions,
      resources: ['*'],
      // The key is there only when a function's code is the caller.
      conditions: { Null: { 'lambda:SourceFunctionArn': 'false' } },
    }),
  );
}

import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { type ISecurityGroup, type IVpc, SubnetType } from 'aws-cdk-lib/aws-ec2';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import {
  AuroraPostgresEngineVersion,
  type CfnDBCluster,
  ClusterInstance,
  Credentials,
  DatabaseCluster,
  DatabaseClusterEngine,
  PerformanceInsightRetention,
} from 'aws-cdk-lib/aws-rds';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { mainDatabase } from '../../shared/contract/index.ts';
import type { ClusterConfig } from '../config.ts';
import { acknowledge } from './acknowledge.ts';
import type { ClusterReference } from './data-api-access.ts';

/** What AWS calls the cluster that a stage's configuration calls `name`. */
export const clusterIdentifier = (stage: string, name: string): string => `tenantry-${stage}-${name}`;

export interface AuroraClusterProps {
  /** Also names the cluster, so that its log group can be declared and replacing it fails instead of losing sight of the data. */
  readonly identifier: string;
  readonly capacity: ClusterConfig;
  readonly logRetention: RetentionDays;
  readonly vpc: IVpc;
  readonly securityGroup: ISecurityGroup;
}

/** Aurora PostgreSQL 17, Serverless v2, with the Data API; reached by nothing else. */
export class AuroraCluster extends Construct implements ClusterReference {
  readonly cluster: DatabaseCluster;
  readonly clusterArn: string;
  readonly masterSecret: ISecret;

  constructor(scope: Construct, id: string, props: AuroraClusterProps) {
    super(scope, id);
    const logGroup = new LogGroup(this, 'Logs', {
      logGroupName: `/aws/rds/cluster/${props.identifier}/postgresql`,
      retention: props.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.cluster = this.createCluster(props);
    this.cluster.node.addDependency(logGroup);
    this.clusterArn = this.cluster.clusterArn;
    this.masterSecret = this.managedMasterSecret();
    acknowledge(this.cluster, {
      ...(!props.capacity.deletionProtection && {
        'AwsSolutions-RDS10': 'Switched off in the configuration of the stage.',
      }),
      'AwsSolutions-RDS11':
        'Nothing connects to the port: the security group admits nobody, and the Data API needs none.',
    });
  }

  private createCluster({ capacity, ...props }: AuroraClusterProps): DatabaseCluster {
    const instance = {
      publiclyAccessible: false,
      enablePerformanceInsights: true,
      performanceInsightRetention: PerformanceInsightRetention.DEFAULT,
    };
    return new DatabaseCluster(this, 'Cluster', {
      clusterIdentifier: props.identifier,
      engine: DatabaseClusterEngine.auroraPostgres({ version: AuroraPostgresEngineVersion.VER_17_9 }),
      credentials: Credentials.fromUsername('tenantry_master'),
      // Generated, and rotated every week, by RDS itself.
      manageMasterUserPassword: true,
      defaultDatabaseName: mainDatabase,
      vpc: props.vpc,
      vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
      securityGroups: [props.securityGroup],
      writer: ClusterInstance.serverlessV2('writer', instance),
      readers: Array.from({ length: capacity.readers }, (_, index) =>
        // Kept at the writer's size, to be of use the moment that it takes over.
        ClusterInstance.serverlessV2(`reader${index + 1}`, { ...instance, scaleWithWriter: true }),
      ),
      serverlessV2MinCapacity: capacity.minCapacity,
      serverlessV2MaxCapacity: capacity.maxCapacity,
      ...(capacity.minCapacity === 0 && {
        serverlessV2AutoPauseDuration: Duration.minutes(capacity.autoPauseMinutes ?? 5),
      }),
      enableDataApi: true,
      storageEncrypted: true,
      iamAuthentication: true,
      backup: { retention: Duration.days(capacity.backupRetentionDays) },
      copyTagsToSnapshot: true,
      deletionProtection: capacity.deletionProtection,
      removalPolicy: RemovalPolicy.RETAIN,
      cloudwatchLogsExports: ['postgresql'],
      parameters: {
        // Capabilities are bound parameters: a logged one could be used until it expires.
        log_parameter_max_length: '0',
        log_parameter_max_length_on_error: '0',
      },
    });
  }

  private managedMasterSecret(): ISecret {
    const resource = this.cluster.node.defaultChild as CfnDBCluster;
    return Secret.fromSecretCompleteArn(this, 'MasterSecret', resource.attrMasterUserSecretSecretArn);
  }
}

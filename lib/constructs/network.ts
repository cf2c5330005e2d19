import { ArnFormat, Aws, RemovalPolicy, Stack } from 'aws-cdk-lib';
import {
  FlowLogDestination,
  FlowLogTrafficType,
  InterfaceVpcEndpoint,
  InterfaceVpcEndpointAwsService,
  IpAddresses,
  type IVpc,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { AnyPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { dataApiActions } from './data-api-access.ts';

/** ElastiCache Serverless answers reads and writes on the first port, and reads of replicas on the second. */
const cachePorts = Port.tcpRange(6379, 6380);

export interface NetworkProps {
  readonly availabilityZones: number;
  readonly logRetention: RetentionDays;
  /** Identifiers of the clusters that functions may use from here. */
  readonly clusterIdentifiers: readonly string[];
}

/**
 * Isolated subnets, without NAT: functions reach the cache, and the Data API through an endpoint.
 * The database accepts no connection at all, since the Data API does not come by the network.
 */
export class Network extends Construct {
  readonly vpc: IVpc;
  readonly applicationSecurityGroup: SecurityGroup;
  readonly cacheSecurityGroup: SecurityGroup;
  readonly databaseSecurityGroup: SecurityGroup;

  constructor(scope: Construct, id: string, props: NetworkProps) {
    super(scope, id);
    this.vpc = isolatedVpc(this, props.availabilityZones);
    this.applicationSecurityGroup = this.securityGroup('Application', 'Application functions');
    this.cacheSecurityGroup = this.securityGroup('Cache', 'Valkey');
    this.databaseSecurityGroup = this.securityGroup('Database', 'Aurora: no connections, the Data API needs none');
    this.applicationSecurityGroup.connections.allowTo(this.cacheSecurityGroup, cachePorts, 'Cache and rate limits');
    this.addDataApiEndpoint(props.clusterIdentifiers);
    this.addFlowLog(props.logRetention);
  }

  private securityGroup(id: string, description: string): SecurityGroup {
    return new SecurityGroup(this, id, { vpc: this.vpc, description, allowAllOutbound: false });
  }

  private addDataApiEndpoint(clusterIdentifiers: readonly string[]): void {
    const endpointGroup = this.securityGroup('Endpoint', 'Endpoint of the RDS Data API');
    this.applicationSecurityGroup.connections.allowTo(endpointGroup, Port.tcp(443), 'RDS Data API');
    const endpoint = new InterfaceVpcEndpoint(this, 'DataApi', {
      vpc: this.vpc,
      service: InterfaceVpcEndpointAwsService.RDS_DATA,
      securityGroups: [endpointGroup],
      open: false,
    });
    endpoint.addToPolicy(
      new PolicyStatement({
        principals: [new AnyPrincipal()],
        actions: [...dataApiActions],
        // Whoever gets into a function cannot carry data to a cluster of their own, nor use these with keys of their own.
        resources: clusterIdentifiers.map((identifier) => this.clusterArn(identifier)),
        conditions: { StringEquals: { 'aws:PrincipalAccount': Aws.ACCOUNT_ID } },
      }),
    );
  }

  private clusterArn(identifier: string): string {
    const arnFormat = ArnFormat.COLON_RESOURCE_NAME;
    return Stack.of(this).formatArn({ service: 'rds', resource: 'cluster', resourceName: identifier, arnFormat });
  }

  private addFlowLog(retention: RetentionDays): void {
    const logGroup = new LogGroup(this, 'FlowLogs', { retention, removalPolicy: RemovalPolicy.DESTROY });
    this.vpc.addFlowLog('FlowLog', {
      destination: FlowLogDestination.toCloudWatchLogs(logGroup),
      trafficType: FlowLogTrafficType.REJECT,
    });
  }
}

function isolatedVpc(scope: Construct, availabilityZones: number): IVpc {
  const vpc = new Vpc(scope, 'Vpc', {
    ipAddresses: IpAddresses.cidr('10.20.0.0/16'),
    maxAzs: availabilityZones,
    natGateways: 0,
    subnetConfiguration: [{ name: 'isolated', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 20 }],
    // The custom resource for this would need a role with wildcards; every resource here names its own group.
    restrictDefaultSecurityGroup: false,
  });
  // The CDK's classes declare `x?: T | undefined` where their interfaces have `x?: T`.
  return vpc as IVpc;
}

import { Fn, Stack, type StackProps } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import type { StageConfig } from '../config.ts';
import { clusterIdentifier } from '../constructs/aurora-cluster.ts';
import { Network } from '../constructs/network.ts';

export interface NetworkStackProps extends StackProps {
  readonly config: StageConfig;
}

/** The network that application functions, cache and database share. It has no way to the internet, in or out. */
export class NetworkStack extends Stack {
  readonly vpc: IVpc;
  readonly applicationSecurityGroup: ISecurityGroup;
  readonly cacheSecurityGroup: ISecurityGroup;
  readonly databaseSecurityGroup: ISecurityGroup;
  private readonly zones: number;

  constructor(scope: Construct, id: string, props: NetworkStackProps) {
    super(scope, id, props);
    this.zones = props.config.availabilityZones;
    const network = new Network(this, 'Network', {
      availabilityZones: props.config.availabilityZones,
      logRetention: props.config.logRetentionDays,
      clusterIdentifiers: Object.keys(props.config.clusters).map((name) => clusterIdentifier(props.config.stage, name)),
    });
    this.vpc = network.vpc;
    this.applicationSecurityGroup = network.applicationSecurityGroup;
    this.cacheSecurityGroup = network.cacheSecurityGroup;
    this.databaseSecurityGroup = network.databaseSecurityGroup;
  }

  /** Resolved by CloudFormation: looking them up at synth would need credentials once a stage names its account. */
  override get availabilityZones(): string[] {
    return Array.from({ length: this.zones }, (_, index) => Fn.select(index, Fn.getAzs()));
  }
}

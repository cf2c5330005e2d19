import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { type ISecurityGroup, type IVpc, SubnetType } from 'aws-cdk-lib/aws-ec2';
import { CfnServerlessCache, CfnUser, CfnUserGroup } from 'aws-cdk-lib/aws-elasticache';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { cacheAccessString } from '../../shared/contract/index.ts';
import type { StageConfig } from '../config.ts';
import { grant } from './grant.ts';

export interface ValkeyCacheProps {
  readonly stage: string;
  readonly limits: StageConfig['cache'];
  readonly vpc: IVpc;
  readonly securityGroup: ISecurityGroup;
}

/** ElastiCache Serverless for Valkey: cluster mode, TLS, and IAM instead of passwords. Its content can be computed again. */
export class ValkeyCache extends Construct {
  readonly cacheName: string;
  /** As shared/cache reads it: where the cache is, and how to log in with the function's own identity. */
  readonly url: string;
  private readonly user: CfnUser;

  constructor(scope: Construct, id: string, props: ValkeyCacheProps) {
    super(scope, id);
    this.cacheName = `tenantry-${props.stage}`;
    const userId = `tenantry-${props.stage}-app`;
    this.user = new CfnUser(this, 'User', {
      engine: 'valkey',
      // IAM authentication wants the two to be equal.
      userId,
      userName: userId,
      authenticationMode: { Type: 'iam' },
      accessString: cacheAccessString,
    });
    const userGroup = new CfnUserGroup(this, 'UserGroup', {
      engine: 'valkey',
      userGroupId: `tenantry-${props.stage}`,
      userIds: [this.user.ref],
    });
    const cache = this.createCache(props, userGroup.ref);
    cache.addResourceDependency(userGroup);
    const address = `${cache.attrEndpointAddress}:${cache.attrEndpointPort}`;
    const login = `iam=${this.cacheName}&user=${userId}&region=${Stack.of(this).region}`;
    this.url = `rediss://${address}?cluster=true&${login}`;
  }

  private createCache(props: ValkeyCacheProps, userGroupId: string): CfnServerlessCache {
    return new CfnServerlessCache(this, 'Cache', {
      engine: 'valkey',
      majorEngineVersion: '8',
      serverlessCacheName: this.cacheName,
      description: 'Rate limits and cached answers of tenants',
      subnetIds: props.vpc.selectSubnets({ subnetType: SubnetType.PRIVATE_ISOLATED }).subnetIds,
      securityGroupIds: [props.securityGroup.securityGroupId],
      userGroupId,
      cacheUsageLimits: {
        dataStorage: { unit: 'GB', maximum: props.limits.maxDataGigabytes },
        ecpuPerSecond: { maximum: props.limits.maxEcpuPerSecond },
      },
      snapshotRetentionLimit: props.limits.snapshotRetentionDays,
    });
  }

  /**
   * @param name a metric that ElastiCache publishes for serverless caches
   * @param statistic @default 'Sum'
   * @param period @default 5 minutes
   */
  metric(name: string, statistic = 'Sum', period = Duration.minutes(5)): Metric {
    const dimensionsMap = { clusterId: this.cacheName };
    return new Metric({ namespace: 'AWS/ElastiCache', metricName: name, dimensionsMap, statistic, period });
  }

  /** Lets `grantee` log in as the application's user. */
  grantConnect(grantee: IGrantable): void {
    const arn = (resource: string, resourceName: string) =>
      Stack.of(this).formatArn({
        service: 'elasticache',
        resource,
        resourceName,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      });
    const resourceArns = [arn('serverlesscache', this.cacheName), arn('user', this.user.userId)];
    grant(grantee, ['elasticache:Connect'], resourceArns);
  }
}

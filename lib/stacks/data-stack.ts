import { Stack, type StackProps } from 'aws-cdk-lib';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { DatabaseRole } from '../../shared/contract/index.ts';
import type { StageConfig } from '../config.ts';
import { AuroraCluster, clusterIdentifier } from '../constructs/aurora-cluster.ts';
import { DatabaseSecrets } from '../constructs/database-secrets.ts';
import { ExportBucket } from '../constructs/export-bucket.ts';
import { MigrationRunner } from '../constructs/migration-runner.ts';
import { stageSettings } from '../constructs/service-function.ts';
import { ValkeyCache } from '../constructs/valkey-cache.ts';
import type { NetworkStack } from './network-stack.ts';

export interface DataStackProps extends StackProps {
  readonly config: StageConfig;
  readonly network: NetworkStack;
}

/** All that keeps state: clusters, secrets, cache, exports; and the runner that migrates the clusters. */
export class DataStack extends Stack {
  /** By name in the stage's configuration. */
  readonly clusters: Readonly<Record<string, AuroraCluster>>;
  readonly logins: Readonly<Record<DatabaseRole, ISecret>>;
  readonly signingKey: ISecret;
  readonly cache: ValkeyCache;
  readonly exports: ExportBucket;
  readonly migrations: MigrationRunner;

  constructor(scope: Construct, id: string, props: DataStackProps) {
    super(scope, id, { terminationProtection: true, ...props });
    const { config, network } = props;
    const secrets = new DatabaseSecrets(this, 'Secrets', { stage: config.stage });
    this.logins = secrets.logins;
    this.signingKey = secrets.signingKey;
    this.clusters = this.createClusters(props);
    this.cache = new ValkeyCache(this, 'Cache', {
      stage: config.stage,
      limits: config.cache,
      vpc: network.vpc,
      securityGroup: network.cacheSecurityGroup,
    });
    this.exports = new ExportBucket(this, 'Exports', config.exports);
    this.migrations = new MigrationRunner(this, 'Migrations', {
      ...stageSettings(config),
      clusters: this.clusters,
      logins: this.logins,
      signingKey: this.signingKey,
      after: Object.values(this.clusters),
    });
  }

  private createClusters({ config, network }: DataStackProps): Record<string, AuroraCluster> {
    const clusters: Record<string, AuroraCluster> = {};
    for (const [name, capacity] of Object.entries(config.clusters)) {
      clusters[name] = new AuroraCluster(this, `Cluster-${name}`, {
        identifier: clusterIdentifier(config.stage, name),
        capacity,
        logRetention: config.logRetentionDays,
        vpc: network.vpc,
        securityGroup: network.databaseSecurityGroup,
      });
    }
    return clusters;
  }
}

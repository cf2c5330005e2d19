import { Match, type Template } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseConfig } from '../../lib/config.ts';
import { clusterIdentifier } from '../../lib/constructs/aurora-cluster.ts';
import { databaseRoles } from '../../shared/contract/index.ts';
import { resourcesOf, synthesize, type Synthesized, templateOf } from './synthesize.ts';

let synthesized: Synthesized;
let data: Template;
beforeAll(() => {
  synthesized = synthesize({
    clusters: {
      main: { minCapacity: 1, maxCapacity: 16, backupRetentionDays: 35 },
      second: { minCapacity: 0, autoPauseMinutes: 30, readers: 1, deletionProtection: false },
    },
  });
  data = templateOf(synthesized, 'Data');
});
afterAll(() => synthesized[Symbol.dispose]());

describe('a cluster', () => {
  it('is Aurora PostgreSQL 17 with the Data API, encrypted, and kept when the stack goes', () => {
    data.allResources('AWS::RDS::DBCluster', {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: Match.objectLike({
        Engine: 'aurora-postgresql',
        EngineVersion: Match.stringLikeRegexp('^17\\.([4-9]|\\d\\d)$'),
        EnableHttpEndpoint: true,
        StorageEncrypted: true,
        ManageMasterUserPassword: true,
        MasterUserPassword: Match.absent(),
        CopyTagsToSnapshot: true,
      }),
    });
  });

  it('has the capacity, backups and protection of its own configuration', () => {
    data.resourceCountIs('AWS::RDS::DBCluster', 2);
    data.hasResourceProperties('AWS::RDS::DBCluster', {
      DBClusterIdentifier: 'tenantry-dev-main',
      ServerlessV2ScalingConfiguration: { MinCapacity: 1, MaxCapacity: 16, SecondsUntilAutoPause: Match.absent() },
      BackupRetentionPeriod: 35,
      DeletionProtection: true,
    });
    data.hasResourceProperties('AWS::RDS::DBCluster', {
      DBClusterIdentifier: 'tenantry-dev-second',
      ServerlessV2ScalingConfiguration: { MinCapacity: 0, SecondsUntilAutoPause: 1800 },
      BackupRetentionPeriod: 7,
      DeletionProtection: false,
    });
    data.resourceCountIs('AWS::RDS::DBInstance', 3);
  });

  it('has an ARN no longer than the Data API’s description allows, however long the names of stage and cluster', () => {
    const stage = 's'.repeat(16);
    const name = 'c'.repeat(20);
    expect(() => parseConfig({ stage, clusters: { main: {}, [name]: {} } })).not.toThrow();
    expect(() => parseConfig({ stage: `${stage}s` })).toThrow();
    expect(() => parseConfig({ stage, clusters: { main: {}, [`${name}c`]: {} } })).toThrow();

    const arn = `arn:aws:rds:ap-southeast-2:123456789012:cluster:${clusterIdentifier(stage, name)}`;

    expect(arn.length).toBeLessThanOrEqual(100);
  });

  it('never writes bound parameters to its log, as capabilities are among them', () => {
    data.allResourcesProperties('AWS::RDS::DBClusterParameterGroup', {
      Parameters: { log_parameter_max_length: '0', log_parameter_max_length_on_error: '0' },
    });
  });

  it('can be reached by nobody over the network', () => {
    for (const { Properties } of Object.values(resourcesOf(synthesized, 'AWS::RDS::DBInstance'))) {
      expect(Properties['PubliclyAccessible']).toBe(false);
    }
    const network = templateOf(synthesized, 'Network').toJSON() as { Resources: Record<string, unknown> };
    const ingress = Object.entries(network.Resources).filter(([, resource]) =>
      JSON.stringify(resource).includes('SecurityGroupIngress'),
    );
    expect(ingress.map(([id]) => id.replace(/from.*/, '')).sort()).toEqual(['NetworkCache', 'NetworkEndpoint']);
  });
});

describe('the network', () => {
  it('has no way to the internet, and reaches no cluster but these through the Data API', () => {
    const network = templateOf(synthesized, 'Network');

    network.resourceCountIs('AWS::EC2::InternetGateway', 0);
    network.resourceCountIs('AWS::EC2::NatGateway', 0);
    const [endpoint] = Object.values(resourcesOf(synthesized, 'AWS::EC2::VPCEndpoint'));
    const { Statement } = endpoint?.Properties['PolicyDocument'] as { Statement: { Resource: unknown[] }[] };
    expect(Statement).toHaveLength(1);
    expect(Statement[0]?.Resource.map((arn) => /tenantry-dev-\w+/.exec(JSON.stringify(arn))?.[0])).toEqual([
      'tenantry-dev-main',
      'tenantry-dev-second',
    ]);
  });
});

describe('a secret', () => {
  it('is generated for the login of every database role, and kept when the stack goes', () => {
    for (const username of Object.values(databaseRoles)) {
      data.hasResource('AWS::SecretsManager::Secret', {
        DeletionPolicy: 'Retain',
        Properties: {
          GenerateSecretString: Match.objectLike({
            SecretStringTemplate: JSON.stringify({ username }),
            GenerateStringKey: 'password',
          }),
        },
      });
    }
  });

  it('that the Data API logs in with has an ARN no longer than its description allows, in any commercial Region', () => {
    const secrets = Object.entries(resourcesOf(synthesized, 'AWS::SecretsManager::Secret'));
    const logins = secrets.filter(([, secret]) => JSON.stringify(secret.Properties).includes('username'));
    // CloudFormation adds 12 characters to the logical id, and Secrets Manager 6.
    const arns = logins.map(
      ([id]) => `arn:aws:secretsmanager:ap-southeast-2:123456789012:secret:${id}-abcdefghijkl-mnopqr`,
    );

    expect(arns).toHaveLength(Object.keys(databaseRoles).length);
    expect(arns.filter((arn) => arn.length > 100)).toEqual([]);
  });

  it('holds a signing key of 64 characters', () => {
    data.hasResource('AWS::SecretsManager::Secret', {
      DeletionPolicy: 'Retain',
      Properties: {
        GenerateSecretString: {
          SecretStringTemplate: '{"keyId":"k1"}',
          GenerateStringKey: 'secret',
          PasswordLength: 64,
          ExcludePunctuation: true,
        },
      },
    });
  });
});

describe('the cache', () => {
  it('is Valkey, and logs in with IAM as a user who is granted single commands, on tenants’ keys', () => {
    data.hasResourceProperties('AWS::ElastiCache::ServerlessCache', {
      Engine: 'valkey',
      UserGroupId: Match.anyValue(),
    });
    data.hasResourceProperties('AWS::ElastiCache::User', {
      Engine: 'valkey',
      UserId: 'tenantry-dev-app',
      UserName: 'tenantry-dev-app',
      AuthenticationMode: { Type: 'iam' },
      AccessString: Match.stringLikeRegexp('^on ~t:\\* -@all (?!.*[+]@(?!connection))'),
      NoPasswordRequired: Match.absent(),
    });
  });
});

describe('the migration runner', () => {
  it('runs at deploy, after every cluster, and carries the migrations', () => {
    const trigger = Object.values(data.findResources('Custom::Trigger'))[0] as {
      DependsOn: string[];
      Properties: object;
    };

    expect(trigger.DependsOn.filter((id) => /^Cluster(main|second)Cluster\w{8}$/.test(id))).toHaveLength(2);
    expect(trigger.Properties).toMatchObject({ InvocationType: 'RequestResponse', ExecuteOnHandlerChange: true });
    const asset = readdirSync(synthesized.outdir).find((name) =>
      existsSync(join(synthesized.outdir, name, 'migrations')),
    );
    expect(readdirSync(join(synthesized.outdir, asset ?? '')).sort()).toEqual([
      'index.mjs',
      'index.mjs.map',
      'migrations',
    ]);
  });
});

describe('the bucket of exports', () => {
  it('is encrypted, closed to the public and to plain HTTP, and kept when the stack goes', () => {
    data.resourceCountIs('AWS::S3::Bucket', 1);
    data.allResources('AWS::S3::Bucket', { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    data.hasResourceProperties('AWS::S3::Bucket', {
      BucketEncryption: { ServerSideEncryptionConfiguration: [Match.anyValue()] },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    });
    data.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: [
          Match.objectLike({
            Action: 's3:*',
            Effect: 'Deny',
            Principal: { AWS: '*' },
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
        ],
      },
    });
  });

  it('lets exports go after 90 days, or as many as the stage says, and uploads that were cut off after one', () => {
    const rule = { Prefix: 'exports/', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 }, Status: 'Enabled' };
    data.hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: { Rules: [{ ...rule, ExpirationInDays: 90 }] },
    });
    using other = synthesize({ exports: { retentionDays: 7 } });
    templateOf(other, 'Data').hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: { Rules: [{ ...rule, ExpirationInDays: 7 }] },
    });
  });
});

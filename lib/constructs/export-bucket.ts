import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { exportsFolder } from '../../shared/contract/index.ts';
import { acknowledge } from './acknowledge.ts';
import { grant } from './grant.ts';

export interface ExportBucketProps {
  /** Days after which exports are deleted. */
  readonly retentionDays: number;
}

/** Where exports of tenants are: encrypted, over TLS alone, and for a time. */
export class ExportBucket extends Construct {
  readonly bucket: Bucket;

  constructor(scope: Construct, id: string, props: ExportBucketProps) {
    super(scope, id);
    this.bucket = new Bucket(this, 'Bucket', {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      // An export is written once. Nothing of it should outlive the time that exports are kept for, so there are no earlier versions.
      versioned: false,
      lifecycleRules: [
        {
          prefix: exportsFolder,
          expiration: Duration.days(props.retentionDays),
          // Of uploads that were cut off.
          abortIncompleteMultipartUploadAfter: Duration.days(1),
        },
      ],
      // The last that there is of tenants that are gone.
      removalPolicy: RemovalPolicy.RETAIN,
    });
    acknowledge(this.bucket, {
      'AwsSolutions-S1': 'One function writes and reads it, and what it does is in the operation and the audit log.',
    });
  }

  /** Lets `grantee` write exports and read them again. */
  grantExports(grantee: IGrantable): void {
    const objects = this.bucket.arnForObjects(`${exportsFolder}*`);
    grant(grantee, ['s3:PutObject', 's3:GetObject', 's3:AbortMultipartUpload'], [objects]);
    // Else S3 does not say that a file is missing, but that it may not be read.
    grant(grantee, ['s3:ListBucket'], [this.bucket.bucketArn]);
  }
}

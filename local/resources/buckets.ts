import { exportsFolder } from '../../shared/contract/index.ts';
import type { BucketFolder } from '../s3/object-files.ts';
import type { DataFolder } from '../stack/data-folder.ts';
import type { Deployment } from '../template/deployment.ts';
import { describe, TemplateError } from '../template/stack.ts';

/** The bucket of exports, as a folder of their files. @throws TemplateError if the template has others */
export function readBuckets({ resources, resolver }: Deployment, folder: DataFolder): Record<string, BucketFolder> {
  const [bucket, ...others] = resources.filter(({ type }) => type === 'AWS::S3::Bucket');
  if (others[0])
    throw new TemplateError(
      `${describe(others[0])}: the local stack has one bucket, for exports. Teach it the others.`,
    );
  return bucket ? { [resolver.reference(bucket)]: { folder: folder.file('exports'), prefix: exportsFolder } } : {};
}

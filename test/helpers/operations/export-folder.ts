import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { startS3 } from '../../../local/s3/server.ts';
import { exportsFolder } from '../../../shared/contract/index.ts';
import { type ExportStore, exportStoreIn } from '../../../shared/control/index.ts';

/** A bucket for exports, of which the files can be looked at. */
export interface ExportFolder extends AsyncDisposable {
  readonly store: ExportStore;
  readonly folder: string;
  /** Content of each file of a tenant's exports, by its path below the tenant's. */
  of(tenantId: string): Record<string, string>;
}

export async function startExportFolder(): Promise<ExportFolder> {
  const folder = mkdtempSync(join(tmpdir(), 'tenantry-exports-'));
  const endpoint = await startS3({ buckets: { exports: { folder, prefix: exportsFolder } } });
  const client = new S3Client({
    endpoint: endpoint.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  return {
    store: exportStoreIn(client, 'exports'),
    folder,
    of: (tenantId) => {
      const root = join(folder, tenantId);
      const files = readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.parentPath.startsWith(`${root}/`))
        .map(({ parentPath, name }) => join(parentPath, name));
      return Object.fromEntries(files.sort().map((file) => [file.slice(root.length + 1), readFileSync(file, 'utf8')]));
    },
    [Symbol.asyncDispose]: async () => {
      client.destroy();
      await endpoint.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

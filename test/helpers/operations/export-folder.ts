import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { startS3 } from '../../../local/s3/server.ts';
import type { Manifest } from '../../../functions/operations/manifest.ts';
import { exportsFolder } from '../../../shared/contract/index.ts';
import { type ExportStore, exportStoreIn } from '../../../shared/control/index.ts';

/** A bucket for exports, of which the files can be looked at. */
export interface ExportFolder extends AsyncDisposable {
  readonly store: ExportStore;
  readonly folder: string;
  /** The exports of a tenant, by operation: each has a manifest. Files that none of them names are no part of any. */
  of(tenantId: string): Record<string, ExportedFiles>;
}

export interface ExportedFiles {
  readonly manifest: Manifest;
  /** Content of each file that the manifest names, by its name there. */
  readonly files: Readonly<Record<string, string>>;
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
      const operations = existsSync(root) ? readdirSync(root) : [];
      return Object.fromEntries(
        operations
          .filter((operation) => existsSync(join(root, operation, 'manifest.json')))
          .map((operation) => [operation, exportIn(join(root, operation))]),
      );
    },
    [Symbol.asyncDispose]: async () => {
      client.destroy();
      await endpoint.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

function exportIn(folder: string): ExportedFiles {
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest;
  const names = manifest.tables.flatMap(({ files }) => files).map(({ file }) => file);
  return { manifest, files: Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')])) };
}

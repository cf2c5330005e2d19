import { createHash } from 'node:crypto';
import type { RowsPosition, RowsSnapshot } from '../../shared/control/index.ts';
import { AppError } from '../../shared/errors/index.ts';
import { type ExportedFile, type ExportedTable, type Manifest, readManifest } from './manifest.ts';
import type { Ports } from './ports.ts';
import type { Subject } from './step.ts';

/** An export that is complete, and where it is. */
export interface Source {
  readonly prefix: string;
  readonly manifest: Manifest;
}

/** A file of an export, and the table that has its rows. */
export interface FileOfTable {
  readonly table: ExportedTable;
  readonly file: ExportedFile;
  /** Whether the table has no rows after it. */
  readonly isLast: boolean;
}

/** The export that a tenant is made from. @throws AppError export-unusable */
export async function sourceOf(
  { input: { from = '' } }: Subject<'onboard'>,
  { registry, exports }: Ports,
): Promise<Source> {
  const prefix = from.includes('/') ? from : (await registry.read(from))?.result?.['export'];
  const manifest = typeof prefix === 'string' ? await readManifest(exports, prefix) : undefined;
  if (typeof prefix === 'string' && manifest) return { prefix, manifest };
  throw new AppError('export-unusable', `${from} has made no export, or one that is not there any more.`);
}

/** Files of tables, in their order. */
export const filesOf = (tables: readonly ExportedTable[]): FileOfTable[] =>
  tables.flatMap((table) =>
    table.files.map((file, index) => ({ table, file, isLast: index === table.files.length - 1 })),
  );

/** Reads a file of an export again. @throws AppError export-unusable */
export async function contentOf(
  { prefix }: Source,
  { file }: ExportedFile,
  { exports }: Ports,
): Promise<AsyncIterable<Buffer>> {
  const content = await exports.read(prefix + file);
  if (content) return content;
  throw new AppError('export-unusable', `The file ${prefix}${file} is not there.`);
}

/** Rows that a table has now where those of a file were, written as an export writes them. */
export async function* rowsAgain(
  view: RowsSnapshot,
  { table, file, isLast }: FileOfTable,
  { rows }: Ports,
): AsyncGenerator<Buffer> {
  let left = isLast ? Infinity : file.bytes;
  for (let at: RowsPosition | undefined = { after: file.after, skip: 0 }; at && left > 0;) {
    const page = await rows.read(view, table.name, at);
    // What follows is compared with the next file.
    yield left < page.bytes.length ? page.bytes.subarray(0, left) : page.bytes;
    left -= page.bytes.length;
    at = page.next;
  }
}

/** Whether content is what the manifest says. @throws AppError export-unusable */
export async function requireSame(
  content: AsyncIterable<Uint8Array>,
  { bytes, sha256, rows }: ExportedFile,
  what: string,
): Promise<void> {
  const hash = createHash('sha256');
  let [foundBytes, foundRows] = [0, 0];
  for await (const chunk of content) {
    hash.update(chunk);
    foundBytes += chunk.length;
    for (const byte of chunk) if (byte === 10) foundRows += 1;
  }
  if (foundBytes === bytes && foundRows === rows && hash.digest('hex') === sha256) return;
  throw new AppError(
    'export-unusable',
    `${what} is not what the manifest says: ${foundRows} rows in ${foundBytes} bytes, or others, instead of ${rows} in ${bytes}.`,
  );
}

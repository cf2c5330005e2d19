import * as z from 'zod';
import { exportPrefix, type ExportStore, rowTableSchema } from '../../shared/control/index.ts';
import { AppError } from '../../shared/errors/index.ts';
import { tenantIdSchema } from '../../shared/tenancy/index.ts';

/** Rows of a table that follow each other. */
export const exportedFileSchema = z.object({
  /** Below the export's prefix. */
  file: z.string(),
  /** The key of the row that they follow; null for the first rows of a table. */
  after: z.array(z.string()).nullable(),
  rows: z.number().int(),
  bytes: z.number().int(),
  sha256: z.string(),
});
export type ExportedFile = Readonly<z.output<typeof exportedFileSchema>>;

const exportedTableSchema = rowTableSchema.extend({
  rows: z.number().int(),
  bytes: z.number().int(),
  files: z.array(exportedFileSchema),
});
export type ExportedTable = Readonly<z.output<typeof exportedTableSchema>>;

/** What an export has. It is written last and once, so an export is there once its manifest is, and stays what it is. */
const manifestSchema = z.object({
  format: z.literal('tenantry-export'),
  /** Counted up by changes that older versions cannot read. */
  formatVersion: z.literal(1),
  tenantId: tenantIdSchema,
  operationId: z.uuid(),
  /** Time of the database when the view of the rows was opened. */
  exportedAt: z.string(),
  /** Why all files show the same moment: they were read in one transaction, or nobody could write. */
  consistency: z.enum(['repeatable-read', 'suspended']),
  /** Versions of the tenant migrations that the tables had. */
  migrations: z.array(z.string()),
  rows: z.number().int(),
  bytes: z.number().int(),
  /** Parents before children. */
  tables: z.array(exportedTableSchema),
});
export type Manifest = Readonly<z.output<typeof manifestSchema>>;

type Totals = Pick<Manifest, 'rows' | 'bytes'>;
export const totalOf = (parts: readonly Totals[]): Totals => ({
  rows: parts.reduce((sum, { rows }) => sum + rows, 0),
  bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
});
const isTotal = ({ rows, bytes }: Totals, parts: readonly Totals[]): boolean =>
  totalOf(parts).rows === rows && totalOf(parts).bytes === bytes;

/** The manifest of the export with this prefix, which agrees with itself: nothing was left out of it, and it names no other's files. */
const manifestAt = (prefix: string) =>
  manifestSchema.refine(
    (manifest) =>
      exportPrefix(manifest.tenantId, manifest.operationId) === prefix &&
      new Set(manifest.tables.map(({ name }) => name)).size === manifest.tables.length &&
      manifest.tables.every(isWhole) &&
      isTotal(manifest, manifest.tables),
    'its tables, their files, its totals or its tenant do not belong together',
  );

/** Whether the files of a table are its own, and all that it has. */
const isWhole = (table: ExportedTable): boolean =>
  isTotal(table, table.files) &&
  table.files.length > 0 &&
  table.files.every(
    ({ file, after }, index) =>
      file === fileOf(folderOf(file), table.name, index) && (after === null) === (index === 0),
  );

const folderOf = (file: string): string => /^[\da-f-]{36}(?=\/)/.exec(file)?.[0] ?? '';

/**
 * The file of a part of a table.
 *
 * @param folder that of the attempt that writes it, so that nobody else ever writes to it
 * @param index place among the files of the table, from 0
 */
export const fileOf = (folder: string, table: string, index: number): string => `${folder}/${table}.${index + 1}.jsonl`;

const manifestFile = 'manifest.json';

/** The manifest of an export; undefined if it is not complete. @throws AppError export-unusable if it is of a version that is not known */
export async function readManifest(exports: ExportStore, prefix: string): Promise<Manifest | undefined> {
  const content = await readJson(exports, prefix + manifestFile);
  if (content === undefined) return undefined;
  const parsed = manifestAt(prefix).safeParse(content);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => [...path, message].join(': ')).join('; ');
  throw new AppError('export-unusable', `${prefix}${manifestFile} is not one that this version reads: ${problems}.`);
}

/** Makes files an export, unless it is one already, by another execution of the operation: then that one's files are the export. */
export async function publishManifest(exports: ExportStore, prefix: string, manifest: Manifest): Promise<Manifest> {
  await exports.writeFirst(prefix + manifestFile, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));
  const published = await readManifest(exports, prefix);
  if (published) return published;
  throw new AppError('internal', `${prefix}${manifestFile} was written, and is not there.`);
}

/** The JSON in a file; undefined if there is no such file, null if it has none. */
export async function readJson(exports: ExportStore, key: string): Promise<unknown> {
  const content = await exports.read(key);
  if (!content) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    return null;
  }
}

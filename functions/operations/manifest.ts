import * as z from 'zod';
import { exportPrefix, type ExportStore, rowTableSchema } from '../../shared/control/index.ts';
import { AppError } from '../../shared/errors/index.ts';
import { tenantIdSchema } from '../../shared/tenancy/index.ts';

const fileSchema = z.object({ rows: z.number().int(), bytes: z.number().int(), sha256: z.string() });

/** What an export has. It is written last, so an export is there once its manifest is. */
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
  tables: z.array(rowTableSchema.extend({ file: z.string(), ...fileSchema.shape })),
});

/** The manifest of the export with this prefix, which agrees with itself: nothing was left out of it, and it names no other's files. */
const manifestAt = (prefix: string) =>
  manifestSchema.refine(
    ({ tenantId, operationId, tables, rows, bytes }) =>
      exportPrefix(tenantId, operationId) === prefix &&
      tables.every(({ name, file }) => file === fileOf(name)) &&
      new Set(tables.map(({ name }) => name)).size === tables.length &&
      tables.reduce((sum, table) => sum + table.rows, 0) === rows &&
      tables.reduce((sum, table) => sum + table.bytes, 0) === bytes,
    'its tables, their files, its totals or its tenant do not belong together',
  );

/** The file of a table. */
export const fileOf = (table: string): string => `${table}.jsonl`;

export type Manifest = Readonly<z.output<typeof manifestSchema>>;
export type ExportedTable = Manifest['tables'][number];

const manifestFile = 'manifest.json';

/** The manifest of an export; undefined if it is not complete. @throws AppError export-unusable if it is of a version that is not known */
export async function readManifest(exports: ExportStore, prefix: string): Promise<Manifest | undefined> {
  const content = await exports.read(prefix + manifestFile);
  if (!content) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  const parsed = manifestAt(prefix).safeParse(parseJson(Buffer.concat(chunks).toString()));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => [...path, message].join(': ')).join('; ');
  throw new AppError('export-unusable', `${prefix}${manifestFile} is not one that this version reads: ${problems}.`);
}

export async function writeManifest(exports: ExportStore, prefix: string, manifest: Manifest): Promise<void> {
  const text = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
  await exports.write(
    prefix + manifestFile,
    (async function* () {
      yield text;
    })(),
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import {
  type RowsPosition,
  type RowTable,
  rowTableSchema,
  rowsViewSchema,
  type TenantHome,
} from '../../shared/control/index.ts';
import { type ExportedFile, exportedFileSchema, fileOf, readJson, totalOf } from './manifest.ts';
import type { Ports } from './ports.ts';
import type { Piece, Position } from './step.ts';

/** A file is read and compared in one go, in a fraction of what a piece may take. */
const fileBytes = 256 * 1024 * 1024;

/** How far an export is. */
const progressSchema = z.object({
  view: rowsViewSchema,
  /** Rows that the tenant had when the export began; left out if counting them would have taken too long. */
  expected: z.number().optional(),
  /** All that are exported, parents before children. */
  tables: z.array(rowTableSchema),
  /** Of each table, in the order of its rows. */
  files: z.record(z.string(), z.array(exportedFileSchema)),
  /** Where the next file begins; left out when there are all. */
  next: z.object({ table: z.string(), after: z.array(z.string()).nullable() }).optional(),
});
export type ExportProgress = Readonly<z.output<typeof progressSchema>>;

/** An export that is being written, and whom to tell of it. */
export interface Exporting {
  readonly home: TenantHome;
  readonly prefix: string;
  readonly ports: Ports;
  readonly onRows: (exported: number, expected: number | undefined) => Promise<void>;
}

/** Writes files until there are all or the piece is over, each at a key that nobody else writes to. */
export async function writePiece(exporting: Exporting, piece: Piece): Promise<ExportProgress> {
  const tables = await exporting.ports.rows.describe(exporting.home.placement);
  const folder = randomUUID();
  let progress = (await resume(exporting, tables, piece.from)) ?? (await begin(exporting, tables));
  // Never none at all: the piece after this one would have as little time.
  while (progress.next) {
    progress = await writeFile(exporting, folder, progress, piece);
    if (piece.isOver()) break;
  }
  return progress;
}

/** Keeps how far an export is beside its files: keys of rows are nothing for the state of an execution. */
export async function keepProgress({ prefix, ports }: Exporting, progress: ExportProgress): Promise<Position> {
  const file = `${randomUUID()}/progress.json`;
  await ports.exports.writeFirst(prefix + file, Buffer.from(JSON.stringify(progress)));
  return { file };
}

/** How far the piece before came; undefined if what it saw is not to be seen any more: then the export begins anew. */
async function resume(
  { home, prefix, ports }: Exporting,
  tables: readonly RowTable[],
  from: Position | undefined,
): Promise<ExportProgress | undefined> {
  if (from === undefined) return undefined;
  const progress = progressSchema.parse(await readJson(ports.exports, `${prefix}${from['file']}`));
  if (!isDeepStrictEqual(progress.tables, tables)) return undefined;
  return (await ports.rows.isOpen({ ...home, ...progress.view })) ? progress : undefined;
}

async function begin({ home, ports }: Exporting, tables: RowTable[]): Promise<ExportProgress> {
  const expected = await ports.rows.count(home);
  const view = rowsViewSchema.parse(await ports.rows.open(home));
  const [first] = tables;
  return { view, expected, tables, files: {}, next: first && { table: first.name, after: null } };
}

/** Writes the next file: rows of a table until it has enough of them, or the piece is over. */
async function writeFile(
  { home, prefix, ports, onRows }: Exporting,
  folder: string,
  progress: ExportProgress,
  piece: Piece,
): Promise<ExportProgress> {
  const { view, expected, tables, files, next: { table, after } = { table: '', after: null } } = progress;
  const earlier = files[table] ?? [];
  const exported = totalOf(Object.values(files).flat()).rows;
  const range = { rows: 0, bytes: 0, end: undefined as RowsPosition['after'] | undefined };
  const pages = async function* (): AsyncGenerator<Buffer> {
    for (let at: RowsPosition | undefined = { after, skip: 0 }; at;) {
      const page = await ports.rows.read({ ...home, ...view }, table, at);
      range.rows += page.rows;
      range.bytes += page.bytes.length;
      if (page.rows > 0) await onRows(exported + range.rows, expected);
      yield page.bytes;
      at = page.next;
      // All of a row is in one file.
      if (at?.skip === 0 && (range.bytes >= fileBytes || piece.isOver())) {
        range.end = at.after;
        return;
      }
    }
  };
  const file = fileOf(folder, table, earlier.length);
  const written = await ports.exports.write(prefix + file, pages());
  const added: ExportedFile = { file, after, rows: range.rows, ...written };
  const following = tables[tables.findIndex(({ name }) => name === table) + 1];
  return {
    ...progress,
    files: { ...files, [table]: [...earlier, added] },
    next: range.end ? { table, after: range.end } : following && { table: following.name, after: null },
  };
}

import * as z from 'zod';
import type { RowTable } from '../../shared/control/index.ts';
import { AppError, type ErrorCode } from '../../shared/errors/index.ts';
import {
  contentOf,
  filesOf,
  type FileOfTable,
  requireSame,
  rowsAgain,
  type Source,
  sourceOf,
} from './exported-files.ts';
import { batchesOf, linesOf } from './exported-lines.ts';
import type { ExportedTable } from './manifest.ts';
import type { Ports } from './ports.ts';
import { requireSameTables } from './same-tables.ts';
import { type Asked, homeWanted, type Piece, type Position, type Step, type Subject } from './step.ts';

type Restoring = Subject<'onboard'>;

const isWanted = ({ input }: Asked<'onboard'>): boolean => input.from !== undefined;

/** How many files are done, and how many lines of the next one. */
const positionSchema = z.object({ files: z.number().int(), lines: z.number().int() });
const placeOf = ({ from }: Piece): z.output<typeof positionSchema> =>
  from === undefined ? { files: 0, lines: 0 } : positionSchema.parse(from);

/** Does something with file after file, and says how far it is, until the piece is over. */
async function withEachFile(
  files: readonly FileOfTable[],
  { step, subject, ports, piece }: { step: string; subject: Restoring; ports: Ports; piece: Piece },
  work: (file: FileOfTable) => Promise<void>,
): Promise<Position | undefined> {
  for (const [index, file] of [...files.entries()].slice(placeOf(piece).files)) {
    await work(file);
    await ports.registry.report(subject.operationId, step, { share: (index + 1) / files.length });
    if (piece.isOver() && index + 1 < files.length) return { files: index + 1, lines: 0 };
  }
  return undefined;
}

async function restoreRows(subject: Restoring, ports: Ports, piece: Piece): Promise<Position | undefined> {
  const source = await sourceOf(subject, ports);
  const { manifest } = source;
  const rest = await insertRows(source, subject, ports, piece);
  if (rest) return rest;
  for (const { name, rows } of manifest.tables)
    if (rows > 0) await ports.rows.advanceSequences(homeWanted(subject), name);
  await ports.registry.report(subject.operationId, 'restore-rows', {
    share: 1,
    counts: { restoredRows: manifest.rows },
    result: { restoredFrom: source.prefix },
  });
  return undefined;
}

/** Inserts the rows of all files; then, when there is everything that rows can point at, what points at later ones. */
async function insertRows(
  source: Source,
  subject: Restoring,
  ports: Ports,
  piece: Piece,
): Promise<Position | undefined> {
  const tables = asTheyAreTied(source.manifest.tables, await ports.rows.describe(subject.input.placement));
  const isLinked = ({ table }: FileOfTable): boolean => table.linked;
  const rows = filesOf(tables).map((part) => ({ ...part, links: false }));
  const passes = [...rows, ...rows.filter(isLinked).map((part) => ({ ...part, links: true }))];
  const total = passes.reduce((sum, { file }) => sum + file.rows, 0);
  const place = placeOf(piece);
  let done = passes.slice(0, place.files).reduce((sum, { file }) => sum + file.rows, place.lines);
  for (const [index, { table, file, links }] of [...passes.entries()].slice(place.files)) {
    let lines = index === place.files ? place.lines : 0;
    const left = linesOf(await contentOf(source, file, ports), lines);
    for await (const batch of batchesOf(left, table.name)) {
      await ports.rows.insert(homeWanted(subject), table.name, batch, links).catch((error: unknown) => {
        throw misfitOf(error, table) ?? error;
      });
      lines += batch.length;
      done += batch.length;
      await ports.registry.report(subject.operationId, 'restore-rows', { share: done / total });
      if (piece.isOver() && done < total) return { files: index, lines };
    }
  }
  return undefined;
}

/** Exported tables, parents before children: as foreign keys are now, which may be others than when they were exported. */
const asTheyAreTied = (exported: readonly ExportedTable[], now: readonly RowTable[]): ExportedTable[] =>
  now.flatMap(({ name, linked }) =>
    exported.filter((table) => table.name === name).map((table) => ({ ...table, linked })),
  );

/** What the database says of rows that break a rule of theirs. */
const misfits: readonly ErrorCode[] = ['conflict', 'constraint-violated', 'reference-not-found', 'validation-failed'];

/** A refusal of rows that says whose they are; undefined for any other error. */
function misfitOf(error: unknown, { name }: ExportedTable): AppError | undefined {
  if (!(error instanceof AppError) || !misfits.includes(error.code)) return undefined;
  const message = `The rows of the table ${name} do not fit into it: ${error.message}`;
  return new AppError('export-unusable', message, { cause: error });
}

/** Fills a tenant that nobody is served for yet with the rows of an export, if the operation is asked to. */
export const restore: readonly Step<'onboard'>[] = [
  {
    name: 'check-export',
    isWanted,
    run: async (subject, ports, piece) => {
      const source = await sourceOf(subject, ports);
      requireSameTables(source.manifest, await ports.rows.describe(subject.input.placement));
      const about = { step: 'check-export', subject, ports, piece };
      return withEachFile(filesOf(source.manifest.tables), about, async ({ file }) =>
        requireSame(await contentOf(source, file, ports), file, `The file ${source.prefix}${file.file}`),
      );
    },
  },
  {
    name: 'restore-rows',
    isWanted,
    run: restoreRows,
    undo: async (subject, { rows }, piece) => {
      while ((await rows.erase(homeWanted(subject), 2_000)) > 0) if (piece.isOver()) return {};
    },
  },
  {
    name: 'compare-rows',
    isWanted,
    run: async (subject, ports, piece) => {
      const { manifest } = await sourceOf(subject, ports);
      const view = await ports.rows.open(homeWanted(subject));
      // Rows are written in the same way whosever they are, so they make the same file.
      // An empty table may be gone by now.
      const files = filesOf(manifest.tables.filter(({ rows }) => rows > 0));
      return withEachFile(files, { step: 'compare-rows', subject, ports, piece }, (part) =>
        requireSame(rowsAgain(view, part, ports), part.file, `The restored table ${part.table.name}`),
      );
    },
  },
];

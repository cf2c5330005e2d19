import { createHash } from 'node:crypto';
import { firstRow, type RowsPosition, type RowsSnapshot } from '../../shared/control/index.ts';
import { AppError } from '../../shared/errors/index.ts';
import { batchesOf, linesOf } from './exported-lines.ts';
import { type ExportedTable, type Manifest, readManifest } from './manifest.ts';
import type { Ports } from './ports.ts';
import { requireSameTables } from './same-tables.ts';
import type { Step, Subject } from './step.ts';

type Restoring = Subject<'onboard'>;

const isWanted = ({ input }: Restoring): boolean => input.from !== undefined;
const homeOf = ({ tenantId, input }: Restoring) => ({ tenantId, placement: input.placement });

/** An export that is complete, and where it is. */
interface Source {
  readonly prefix: string;
  readonly manifest: Manifest;
}

async function sourceOf({ input: { from = '' } }: Restoring, { registry, exports }: Ports): Promise<Source> {
  const prefix = from.includes('/') ? from : (await registry.read(from))?.result?.['export'];
  const manifest = typeof prefix === 'string' ? await readManifest(exports, prefix) : undefined;
  if (typeof prefix === 'string' && manifest) return { prefix, manifest };
  throw new AppError('export-unusable', `${from} has made no export, or one that is not there any more.`);
}

/** Reads a file of an export again. @throws AppError export-unusable */
async function contentOf(
  { prefix }: Source,
  { file }: ExportedTable,
  { exports }: Ports,
): Promise<AsyncIterable<Buffer>> {
  const content = await exports.read(prefix + file);
  if (content) return content;
  throw new AppError('export-unusable', `The file ${prefix}${file} is not there.`);
}

/** Whether content is what the manifest says. */
async function requireSame(
  content: AsyncIterable<Uint8Array>,
  { bytes, sha256, rows }: ExportedTable,
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

async function* pagesOf(snapshot: RowsSnapshot, table: string, { rows }: Ports): AsyncGenerator<Buffer> {
  for (let from: RowsPosition | undefined = firstRow; from;) {
    const page = await rows.read(snapshot, table, from);
    yield page.bytes;
    from = page.next;
  }
}

async function restoreRows(subject: Restoring, ports: Ports): Promise<void> {
  const source = await sourceOf(subject, ports);
  const { manifest } = source;
  const linked = manifest.tables.filter((table) => table.linked);
  const total = [...manifest.tables, ...linked].reduce((sum, { rows }) => sum + rows, 0);
  let done = 0;
  const insert = async (table: ExportedTable, links: boolean): Promise<void> => {
    for await (const batch of batchesOf(linesOf(await contentOf(source, table, ports)), table.name)) {
      await ports.rows.insert(homeOf(subject), table.name, batch, links);
      done += batch.length;
      await ports.registry.report(subject.operationId, 'restore-rows', { share: done / total });
    }
  };
  for (const table of manifest.tables) await insert(table, false);
  // Only now is there everything that rows can point at.
  for (const table of linked) await insert(table, true);
  for (const { name, rows } of manifest.tables) if (rows > 0) await ports.rows.advanceSequences(homeOf(subject), name);
  await ports.registry.report(subject.operationId, 'restore-rows', {
    share: 1,
    counts: { restoredRows: manifest.rows },
    result: { restoredFrom: source.prefix },
  });
}

/** Fills a tenant that nobody is served for yet with the rows of an export, if the operation is asked to. */
export const restore: readonly Step<'onboard'>[] = [
  {
    name: 'check-export',
    isWanted,
    run: async (subject, ports) => {
      const source = await sourceOf(subject, ports);
      requireSameTables(source.manifest, await ports.rows.describe(subject.input.placement));
      for (const table of source.manifest.tables) {
        await requireSame(await contentOf(source, table, ports), table, `The file ${source.prefix}${table.file}`);
      }
    },
  },
  {
    name: 'restore-rows',
    isWanted,
    run: restoreRows,
    undo: async (subject, { rows }) => {
      while ((await rows.erase(homeOf(subject), 2_000)) > 0);
    },
  },
  {
    name: 'compare-rows',
    isWanted,
    run: async (subject, ports) => {
      const { manifest } = await sourceOf(subject, ports);
      const snapshot = await ports.rows.open(homeOf(subject));
      // Rows are written in the same way whosever they are, so they make the same file.
      // An empty table may be gone by now.
      for (const table of manifest.tables.filter(({ rows }) => rows > 0)) {
        await requireSame(pagesOf(snapshot, table.name, ports), table, `The restored table ${table.name}`);
      }
    },
  },
];

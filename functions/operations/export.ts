import {
  exportPrefix,
  firstRow,
  type KnownKind,
  type RowsPosition,
  type RowsSnapshot,
  type RowTable,
} from '../../shared/control/index.ts';
import { type ExportedTable, fileOf, type Manifest, readManifest, writeManifest } from './manifest.ts';
import type { Ports } from './ports.ts';
import { type Step, type Subject, tenantBefore } from './step.ts';

const name = 'export-rows';

/**
 * Writes all of the tenant's rows to files, and then the manifest. Run again, it begins anew, unless the manifest is there. Undoing leaves
 * the files: those without a manifest are no export, and the bucket lets files go in time.
 */
async function exportRows<Kind extends KnownKind>(subject: Subject<Kind>, ports: Ports): Promise<void> {
  const { operationId, tenantId } = subject;
  const prefix = exportPrefix(tenantId, operationId);
  const manifest = (await readManifest(ports.exports, prefix)) ?? (await writeExport(subject, prefix, ports));
  const { rows, bytes } = manifest;
  await ports.registry.report(operationId, name, {
    share: 1,
    counts: { exportedRows: rows, exportedBytes: bytes },
    result: { export: prefix },
  });
}

async function writeExport<Kind extends KnownKind>(
  subject: Subject<Kind>,
  prefix: string,
  ports: Ports,
): Promise<Manifest> {
  const { operationId, tenantId } = subject;
  const home = { tenantId, placement: tenantBefore(subject).placement };
  const described = await ports.rows.describe(home.placement);
  const expected = await ports.rows.count(home);
  const snapshot = await ports.rows.open(home);
  let exportedRows = 0;
  const onRows = async (rows: number): Promise<void> => {
    exportedRows += rows;
    // Rows may have come since they were counted; and all is done when the manifest is there.
    const share = Math.min(0.99, exportedRows / Math.max(1, expected));
    await ports.registry.report(operationId, name, { share, counts: { exportedRows } });
  };
  try {
    const tables: ExportedTable[] = [];
    for (const table of described) tables.push(await writeTable(table, snapshot, prefix, ports, onRows));
    const manifest: Manifest = {
      format: 'tenantry-export',
      formatVersion: 1,
      tenantId,
      operationId,
      exportedAt: snapshot.at,
      consistency: snapshot.transaction === undefined ? 'suspended' : 'repeatable-read',
      migrations: [...snapshot.migrations],
      rows: exportedRows,
      bytes: tables.reduce((sum, { bytes }) => sum + bytes, 0),
      tables,
    };
    await writeManifest(ports.exports, prefix, manifest);
    return manifest;
  } finally {
    // It ends by itself too, some minutes later.
    await ports.rows.close(snapshot).catch(() => undefined);
  }
}

async function writeTable(
  table: RowTable,
  snapshot: RowsSnapshot,
  prefix: string,
  { rows, exports }: Ports,
  onRows: (rows: number) => Promise<void>,
): Promise<ExportedTable> {
  const file = fileOf(table.name);
  let count = 0;
  const pages = async function* (): AsyncGenerator<Buffer> {
    for (let from: RowsPosition | undefined = firstRow; from;) {
      const page = await rows.read(snapshot, table.name, from);
      count += page.rows;
      if (page.rows > 0) await onRows(page.rows);
      yield page.bytes;
      from = page.next;
    }
  };
  const written = await exports.write(prefix + file, pages());
  return { ...table, file, rows: count, ...written };
}

export const exportRowsStep: Step<'export' | 'offboard'> = {
  name,
  run: exportRows,
};

/** Leaves the tenant as it is: it is served meanwhile. */
export const exportTenant: readonly Step<'export'>[] = [exportRowsStep];

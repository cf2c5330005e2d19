import { exportPrefix, type KnownKind } from '../../shared/control/index.ts';
import { type Exporting, type ExportProgress, keepProgress, writePiece } from './export-pieces.ts';
import { type Manifest, publishManifest, readManifest, totalOf } from './manifest.ts';
import type { Ports } from './ports.ts';
import { homeBefore, type Piece, type Position, type Step, type Subject } from './step.ts';

const name = 'export-rows';

/**
 * Writes all of the tenant's rows to files, and then the manifest, unless there is one: rows may be erased as soon as there is, so an
 * execution that was held up meanwhile takes the files of the one that was faster, and leaves its own. Undoing leaves the files, too:
 * those that no manifest names are no export, and the bucket lets files go in time.
 */
async function exportRows<Kind extends KnownKind>(
  subject: Subject<Kind>,
  ports: Ports,
  piece: Piece,
): Promise<Position | undefined> {
  const { operationId, tenantId } = subject;
  const prefix = exportPrefix(tenantId, operationId);
  let manifest = await readManifest(ports.exports, prefix);
  if (!manifest) {
    const exporting = { home: homeBefore(subject), prefix, ports, onRows: reportTo(operationId, ports) };
    const progress = await writePiece(exporting, piece);
    if (progress.next) return keepProgress(exporting, progress);
    manifest = await publishManifest(ports.exports, prefix, manifestOf(subject, progress));
    // It ends by itself too, some minutes later.
    await ports.rows.close({ ...exporting.home, ...progress.view }).catch(() => undefined);
  }
  await ports.registry.report(operationId, name, {
    share: 1,
    counts: { exportedRows: manifest.rows, exportedBytes: manifest.bytes },
    result: { export: prefix },
  });
  return undefined;
}

const reportTo =
  (operationId: string, { registry }: Ports): Exporting['onRows'] =>
  async (exportedRows, expected) => {
    // Rows may have come since they were counted; and all is done when the manifest is there.
    const share = expected === undefined ? 0 : Math.min(0.99, exportedRows / Math.max(1, expected));
    await registry.report(operationId, name, { share, counts: { exportedRows } });
  };

function manifestOf({ operationId, tenantId }: Subject<KnownKind>, progress: ExportProgress): Manifest {
  const { view, files } = progress;
  const tables = progress.tables.map((table) => {
    const its = files[table.name] ?? [];
    return { ...table, ...totalOf(its), files: its };
  });
  return {
    format: 'tenantry-export',
    formatVersion: 1,
    tenantId,
    operationId,
    exportedAt: view.at,
    consistency: view.transaction === undefined ? 'suspended' : 'repeatable-read',
    migrations: view.migrations,
    ...totalOf(tables),
    tables,
  };
}

export const exportRowsStep: Step<'export' | 'offboard'> = {
  name,
  run: exportRows,
};

/** Leaves the tenant as it is: it is served meanwhile. */
export const exportTenant: readonly Step<'export'>[] = [exportRowsStep];

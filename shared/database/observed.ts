import { type DatabaseOperation, recordDatabaseQuery } from '../metrics/index.ts';

/** Does `work` and counts it for the metrics of the request: from asking to answering, with retries. */
export async function observed<T>(operation: string, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  try {
    return await work();
  } finally {
    recordDatabaseQuery({ operation: counted[operation] ?? 'other', durationMs: performance.now() - startedAt });
  }
}

const counted: Readonly<Record<string, DatabaseOperation>> = {
  select: 'select',
  insert: 'insert',
  update: 'update',
  delete: 'delete',
  batch: 'batch',
  begin: 'begin',
  commit: 'commit',
  rollback: 'rollback',
};

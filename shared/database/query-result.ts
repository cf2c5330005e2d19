import { DeleteResult, InsertResult, MergeResult, type QueryResult, UpdateResult } from 'kysely';
import type { CompiledStatement } from './compiled-statement.ts';
import type { Row } from './rows.ts';

/** Rows of a statement, as Kysely takes them from a connection. */
export function queryResult<R>({ operation, isCount }: CompiledStatement, rows: readonly Row[]): QueryResult<R> {
  if (isCount) return { rows: [], numAffectedRows: affectedRows(rows) };
  const result = { rows: [...rows] as R[] };
  return operation === 'select' || operation === 'raw' ? result : { ...result, numAffectedRows: BigInt(rows.length) };
}

/** Rows of a statement, as `execute()` of its query builder would return them. */
export function executedResult<R>({ operation, isCount }: CompiledStatement, rows: readonly Row[]): readonly R[] {
  if (!isCount) return rows as readonly R[];
  const count = affectedRows(rows);
  switch (operation) {
    case 'insert':
      return [new InsertResult(undefined, count) as R];
    case 'update':
      return [new UpdateResult(count, undefined) as R];
    case 'delete':
      return [new DeleteResult(count) as R];
    default:
      return [new MergeResult(count) as R];
  }
}

function affectedRows(rows: readonly Row[]): bigint {
  return BigInt(Number(rows[0]?.['affected'] ?? 0));
}

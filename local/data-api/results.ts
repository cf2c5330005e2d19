import type { Client, FieldDef } from 'pg';
import { exactNumber } from '../aws/json.ts';
import { columnMetadata } from './column-metadata.ts';
import { dataApiError } from './errors.ts';
import type { ExecuteStatementRequest } from './requests.ts';
import type { StatementResult } from './statement.ts';
import { type ResultType, resultTypes } from './types.ts';
import { type Field, toField, type ValueOptions } from './values.ts';

/** Limit of the Data API on `formattedRecords`, in bytes. */
const formattedLimitBytes = 10 * 1024 * 1024;

/**
 * Response of ExecuteStatement for what Postgres answered.
 *
 * @throws UnsupportedResultException for types and sizes that the Data API cannot return; a result without rows has neither
 */
export async function toResponse(
  client: Client,
  result: StatementResult,
  request: ExecuteStatementRequest,
): Promise<Record<string, unknown>> {
  refuseTooLarge(result);
  const { fields } = result;
  // AWS answers generated values for MySQL only.
  if (!fields) return { generatedFields: [], numberOfRecordsUpdated: result.updated };
  const typeOf = await resultTypes(
    client,
    fields.map((field) => field.dataTypeID),
  );
  const types = fields.map((field) => typeOf(field.dataTypeID));
  if (request.formatRecordsAs === 'JSON' && result.command === 'SELECT') {
    return { formattedRecords: formatRecords(fields, types, result.rows), numberOfRecordsUpdated: 0 };
  }
  const options: ValueOptions = {
    decimals: request.resultSetOptions?.decimalReturnType ?? 'STRING',
    longs: request.resultSetOptions?.longReturnType ?? 'LONG',
  };
  return {
    ...(request.includeResultMetadata && { columnMetadata: await columnMetadata(client, fields, types) }),
    numberOfRecordsUpdated: 0,
    records: result.rows.map((row) => toFields(row, types, options)),
  };
}

function refuseTooLarge({ tooLarge }: StatementResult): void {
  if (tooLarge === 'row') {
    throw dataApiError('UnsupportedResultException', 'The result contains a row that exceeds the size limit 64 KB.');
  }
  if (tooLarge === 'result') {
    throw dataApiError('UnsupportedResultException', 'The result exceeds the size limit 1 MB.');
  }
}

function toFields(row: readonly (string | null)[], types: readonly ResultType[], options: ValueOptions): Field[] {
  return types.map((type, column) => toField(row[column] ?? null, type, options));
}

/** The rows as one JSON text: an array of objects by column label, numbers as numbers and JSON as a string. */
function formatRecords(
  fields: readonly FieldDef[],
  types: readonly ResultType[],
  rows: StatementResult['rows'],
): string {
  const labels = fields.map((field) => field.name);
  if (new Set(labels).size < labels.length) {
    throw dataApiError(
      'UnsupportedResultException',
      'The result contains duplicate column names, which JSON cannot have.',
    );
  }
  const objects = rows.map((row) => {
    const object: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    types.forEach((type, column) => {
      object[labels[column] ?? ''] = plainValue(row[column] ?? null, type);
    });
    return object;
  });
  const text = JSON.stringify(objects);
  if (Buffer.byteLength(text) > formattedLimitBytes) {
    throw dataApiError('UnsupportedResultException', 'The result as JSON exceeds the size limit 10 MB.');
  }
  return text;
}

function plainValue(text: string | null, type: ResultType): unknown {
  if (text === null) return null;
  if (type.kind === 'decimal' && !type.isArray) return /^-?[\d.]+$/.test(text) ? exactNumber(text) : text;
  const [value] = Object.values(toField(text, type, { decimals: 'STRING', longs: 'LONG' }));
  return type.isArray ? Object.values(value as object)[0] : value;
}

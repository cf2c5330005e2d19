import { AppError } from '../errors/index.ts';
import { DatabaseError } from './database-error.ts';
import {
  dataApiErrors,
  type ErrorRow,
  messagePatterns,
  networkErrors,
  type Repeat,
  special,
  sqlStates,
} from './error-table.ts';

/** What a failed call means, and after which calls it may be made again. */
export interface Failure {
  readonly error: AppError;
  readonly repeat: Repeat;
}

/** What is known of a thrown value from a call of the RDS Data API. */
interface Facts {
  readonly name: string;
  readonly message: string;
  readonly networkCode: string | undefined;
  readonly httpStatus: number | undefined;
  readonly sqlState: string | undefined;
}

/**
 * The error of the catalogue for whatever a call of the RDS Data API threw. The original is its cause; its text, in which Postgres
 * repeats keys and values, goes no further.
 */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof AppError) return { error: thrown, repeat: 'never' };
  const facts = factsOf(thrown);
  const row = rowOf(facts);
  const constraint = /constraint "([^"]+)"/.exec(facts.message)?.[1];
  const error = new DatabaseError(row.code, row.message, {
    cause: thrown,
    sqlState: facts.sqlState,
    constraint: facts.sqlState?.startsWith('23') ? constraint : undefined,
    ...(row.retryAfterSeconds !== undefined && { retryAfterSeconds: row.retryAfterSeconds }),
  });
  return { error, repeat: row.repeat ?? 'never' };
}

/** A login that is not there is one that the database would refuse. */
const noSecret = /can't find the specified secret/i;

function factsOf(thrown: unknown): Facts {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const extra = error as { code?: unknown; $metadata?: { httpStatusCode?: number } };
  return {
    name: error.name,
    message: error.message,
    networkCode: typeof extra.code === 'string' ? extra.code : undefined,
    httpStatus: extra.$metadata?.httpStatusCode,
    // The RDS Data API puts it at the end of Postgres's message.
    sqlState:
      /SQLState: ([0-9A-Z]{5})\s*$/.exec(error.message)?.[1] ?? (noSecret.test(error.message) ? '28000' : undefined),
  };
}

function rowOf(facts: Facts): ErrorRow {
  const { name, message, networkCode, httpStatus, sqlState } = facts;
  if (sqlState !== undefined) return rowOfSqlState(sqlState, message);
  const pattern = messagePatterns.find(([text]) => text.test(message));
  if (pattern) return pattern[1];
  const known = dataApiErrors[name] ?? (networkCode === undefined ? undefined : networkErrors[networkCode]);
  if (known) return known;
  if (httpStatus === 429 || /throttl/i.test(name)) return dataApiErrors['ThrottlingException'] ?? special.serverError;
  return httpStatus !== undefined && httpStatus >= 500 ? special.serverError : special.unknown;
}

function rowOfSqlState(sqlState: string, message: string): ErrorRow {
  if (sqlState === '23503' && message.includes('update or delete on table')) return special.stillReferenced;
  if (sqlState === '42501' && message.includes('row-level security')) return special.foreignTenant;
  return sqlStates[sqlState] ?? sqlStates[sqlState.slice(0, 3)] ?? sqlStates[sqlState.slice(0, 2)] ?? special.unknown;
}

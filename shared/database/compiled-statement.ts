import type { CompiledQuery } from 'kysely';
import { AppError } from '../errors/index.ts';
import { encodeParameter } from './values.ts';

/** What a statement does, for metrics and for choosing what may be repeated. */
export type Operation = 'select' | 'insert' | 'update' | 'delete' | 'merge' | 'raw';

/** A query of our own compiler: `sql` has `%1$L`-style placeholders and always returns rows. */
export interface CompiledStatement<O = unknown> extends CompiledQuery<O> {
  readonly operation: Operation;
  /** The database is told so, and refuses a statement that writes all the same. */
  readonly isReadOnly: boolean;
  /** The one row holds the number of affected rows, as `affected`. */
  readonly isCount: boolean;
}

/** What `tenancy.run` takes. */
export interface Statement {
  readonly statement: string;
  readonly arguments: readonly (string | null)[];
}

/**
 * @throws AppError `internal` when `query` was not compiled for this database, such as by `CompiledQuery.raw`: its percent signs and
 * placeholders would be misread
 */
export function asCompiledStatement<O>(query: CompiledQuery<O>): CompiledStatement<O> {
  if (!('operation' in query)) {
    throw new AppError(
      'internal',
      'The query was not compiled by tenantDatabase(). Use a query builder, or the sql tag.',
    );
  }
  return query as CompiledStatement<O>;
}

export function statementOf(query: CompiledStatement): Statement {
  return { statement: query.sql, arguments: query.parameters.map(encodeParameter) };
}

import { AppError, type AppErrorOptions, type ErrorCode } from '../errors/index.ts';

export interface DatabaseErrorOptions extends AppErrorOptions {
  /** What Postgres calls the error, such as `23505`. */
  readonly sqlState?: string | undefined;
  /** Name of the constraint that was broken. */
  readonly constraint?: string | undefined;
}

/** An error of the database as an error of the catalogue. What the database said is in `cause`, for the log alone. */
export class DatabaseError extends AppError {
  readonly sqlState: string | undefined;
  readonly constraint: string | undefined;

  constructor(code: ErrorCode, message: string, options: DatabaseErrorOptions = {}) {
    super(code, message, options);
    this.sqlState = options.sqlState;
    this.constraint = options.constraint;
  }
}

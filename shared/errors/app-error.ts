import { type ErrorCode, errorCatalogue } from './catalogue.ts';

/** A value of the request that is wrong, and why. `pointer` is a JSON pointer such as `#/body/name`. */
export interface ErrorItem {
  readonly pointer: string;
  readonly detail: string;
}

export interface AppErrorOptions {
  readonly cause?: unknown;
  /** Values of the request that are wrong. */
  readonly errors?: readonly ErrorItem[];
  /** Whole seconds after which trying again makes sense; becomes `Retry-After`. */
  readonly retryAfterSeconds?: number;
}

/**
 * An error of the catalogue. Its message is meant for the client when the status is below 500, and for the log alone otherwise:
 * say what happened, with the value, and what to do.
 *
 * @example throw new AppError('not-found', `No project has the id ${id}.`)
 */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly errors: readonly ErrorItem[];
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.status = errorCatalogue[code].status;
    this.errors = options.errors ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

import type { OperationError } from '../../shared/control/index.ts';
import { DatabaseError } from '../../shared/database/database-error.ts';
import { AppError, type ErrorCode, errorCatalogue } from '../../shared/errors/index.ts';

/** A step has failed for good. */
export class StepFailure extends Error {
  override readonly name = 'StepFailure';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** What is kept of an error between two invocations: name and message. The name is a code of the catalogue. */
export function keepable(error: unknown): Error {
  const kept = new Error(
    error instanceof AppError
      ? `${error.message}${stateOf(error)}`
      : 'A fault of the function or of a service that it uses.',
  );
  kept.name = error instanceof AppError ? error.code : 'internal';
  return kept;
}

/** Where our own words say little, what Postgres calls the error says more, and nothing of anybody's data. */
const stateOf = (error: AppError): string =>
  error instanceof DatabaseError && error.code === 'internal' && error.sqlState !== undefined
    ? ` (SQLSTATE ${error.sqlState})`
    : '';

/** The failure that was kept. */
export function stepFailure({ name, message }: Error): StepFailure {
  return new StepFailure(Object.hasOwn(errorCatalogue, name) ? (name as ErrorCode) : 'internal', message);
}

/** Whether trying again can help: not if what was asked for is wrong. */
export function isPassing(error: Error): boolean {
  const { code } = stepFailure(error);
  return errorCatalogue[code].status >= 500 || errorCatalogue[code].status === 429;
}

/**
 * What an operation tells operators of the failure that it ends with.
 *
 * @param isFinal whether it is past what can be undone
 */
export function operationError(
  { code, message }: StepFailure,
  { step, operationId, isFinal }: { readonly step: string; readonly operationId: string; readonly isFinal: boolean },
): OperationError {
  const isOurs = errorCatalogue[code].status >= 500;
  const log = `look for ${operationId} in the log of the operations function.`;
  const done = isFinal ? 'What was done stays done, and the tenant stays closed.' : 'Nothing is left of it.';
  const next = isFinal ? 'ask for the same again: it goes on from there' : 'ask for it again';
  if (code === 'home-gone') {
    const restore = 'Restore the database from a backup, or offboard the tenant without an export.';
    return { code, message: `The step ${step} failed: ${message}`, remedy: `${done} ${restore}` };
  }
  const remedy = isOurs
    ? `${done} ${next.charAt(0).toUpperCase()}${next.slice(1)}; should it fail again, ${log}`
    : `${done} Mend what the message names, then ${next}.`;
  return { code, message: `The step ${step} failed: ${message}`, remedy };
}

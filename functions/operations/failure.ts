import type { OperationError } from '../../shared/control/index.ts';
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
    error instanceof AppError ? error.message : 'A fault of the function or of a service that it uses.',
  );
  kept.name = error instanceof AppError ? error.code : 'internal';
  return kept;
}

/** The failure that was kept. */
export function stepFailure({ name, message }: Error): StepFailure {
  return new StepFailure(Object.hasOwn(errorCatalogue, name) ? (name as ErrorCode) : 'internal', message);
}

/** Whether trying again can help: not if what was asked for is wrong. */
export function isPassing(error: Error): boolean {
  const { code } = stepFailure(error);
  return errorCatalogue[code].status >= 500 || errorCatalogue[code].status === 429;
}

/** What an operation tells operators of the failure that it ends with. */
export function operationError({ code, message }: StepFailure, step: string, operationId: string): OperationError {
  const remedy =
    errorCatalogue[code].status >= 500
      ? `Nothing is left of it. Ask for it again; should it fail again, look for ${operationId} in the log of the operations function.`
      : 'Nothing is left of it. Mend what the message names, then ask for it again.';
  return { code, message: `The step ${step} failed: ${message}`, remedy };
}

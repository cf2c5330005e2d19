/** The stack cannot start, for a reason that one sentence tells; shown without a stack trace. */
export class StartupError extends Error {
  override readonly name = 'StartupError';

  constructor(message: string, cause?: unknown) {
    super(message, { cause });
  }
}

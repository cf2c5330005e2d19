/** What went wrong and what to do, for whoever typed the command. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError';
}

/** The command was typed in a way that it does not have. Nothing was done. */
export class UsageError extends CommandError {
  override readonly name = 'UsageError';
}

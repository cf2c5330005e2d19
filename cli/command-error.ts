/** What went wrong and what to do, for whoever typed the command. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

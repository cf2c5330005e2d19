/** A command of the operator's: gets the arguments behind its name, prints, and returns the exit code. */
export interface Command {
  /** One line for the list of commands. */
  readonly summary: string;
  readonly usage: string;
  run(args: readonly string[]): Promise<number>;
}

/** Something that stands behind a command without a name of its own. */
export interface Positional {
  readonly name: string;
  readonly isOptional?: boolean;
  /** What it has to look like, or one of what it may be. @default whatever is typed */
  readonly form?: 'tenant-id' | readonly string[];
  /** What a shell proposes, where `form` does not say it. */
  readonly completes?: 'tenants';
}

/** The tenant that a command is about. */
export const tenantPositional = {
  name: 'tenant',
  form: 'tenant-id',
  completes: 'tenants',
} as const satisfies Positional;

/** `--name`, or `--name VALUE`. */
export interface Option {
  /** What usage calls the value. @default none: the option is there or not */
  readonly value?: string;
  /** What the value may be. @default whatever is typed */
  readonly choices?: readonly string[];
  readonly help: string;
}

export type Options = Readonly<Record<string, Option>>;

/** What was typed behind a command's name, checked against what it takes. */
export interface CommandLine<O extends Options> {
  readonly options: { readonly [Name in keyof O]: O[Name] extends { value: string } ? string | undefined : boolean };
  /** As many as the command has, without those that were left out. */
  readonly positionals: readonly string[];
}

/** A command of the operator's. */
export interface Command<O extends Options = Options> {
  /** One line for the list of commands. */
  readonly summary: string;
  /** What else there is to know. */
  readonly description: string;
  readonly positionals?: readonly Positional[];
  readonly options: O;
  /** Exit code when it is refused or fails. @default 1 */
  readonly failureCode?: number;
  /** Puts arguments into an order that is read as usual. @default as they were typed */
  readonly arrange?: (args: readonly string[]) => readonly string[];
  /** Prints, and returns the exit code. @throws CommandError */
  run(line: CommandLine<O>): Promise<number>;
}

/** A command, with the types of its options. */
export const defineCommand = <const O extends Options>(command: Command<O>): Command<O> => command;

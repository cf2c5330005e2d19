import type { Command, Positional } from '../command.ts';

/** What can be typed behind a command, for the makers of completion scripts. */
export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly {
    /** With its dashes. */
    readonly flag: string;
    readonly help: string;
    /** What its value may be, `files`, or `anything`; undefined for an option without one. */
    readonly values: readonly string[] | 'files' | 'anything' | undefined;
  }[];
  /** What each may be: words, ids of `tenants`, or `anything`. */
  readonly positionals: readonly (readonly string[] | 'tenants' | 'anything')[];
}

export function completedCommands(commands: Readonly<Record<string, Command>>): readonly CompletedCommand[] {
  return Object.entries(commands).map(([name, { summary, options, positionals = [] }]) => ({
    name,
    summary,
    options: Object.entries(options).map(([option, { value, choices, help }]) => ({
      flag: `--${option}`,
      help,
      values: value === undefined ? undefined : (choices ?? (value === 'DIR' ? 'files' : 'anything')),
    })),
    positionals: positionals.map(wordsOf),
  }));
}

function wordsOf({ form, completes }: Positional): CompletedCommand['positionals'][number] {
  if (typeof form === 'object') return form;
  return completes ?? 'anything';
}

/** Between single quotes, as all three shells read it. */
export const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

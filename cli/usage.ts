import type { Command, Option } from './command.ts';

/** How the command is typed. */
export const program = 'npm run -s tenant --';

/** How a command is typed, in a line. */
export function typedOf(name: string, { positionals = [], options }: Command): string {
  const typed = positionals.map(({ name: of, isOptional }) => (isOptional ? `[<${of}>]` : `<${of}>`));
  const optional = Object.keys(options).length > 0 ? ['[options]'] : [];
  return `usage: ${[program, name, ...typed, ...optional].join(' ')}`;
}

/** What `--help` says of a command. */
export function usageOf(name: string, command: Command): string {
  const { options, description } = command;
  const shown = Object.entries(options).map(([option, about]) => [flagOf(option, about), about] as const);
  const width = Math.max(0, ...shown.map(([flag]) => flag.length));
  const lines = shown.map(([flag, { help, choices }]) => {
    return `  ${flag.padEnd(width)}  ${help}${choices ? `: ${choices.join(', ')}` : ''}`;
  });
  return [typedOf(name, command), '', description, '', ...lines].join('\n').trimEnd();
}

const flagOf = (name: string, { value }: Option): string => `--${name}${value === undefined ? '' : ` ${value}`}`;

/** What `--help` says of all commands. */
export function overviewOf(commands: Readonly<Record<string, Command>>): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  return [
    `usage: ${program} <command> [options]`,
    '',
    ...Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    `More on each: ${program} <command> --help`,
  ].join('\n');
}

import { parseArgs } from 'node:util';
import type { Command, CommandLine, Options, Positional } from './command.ts';
import { UsageError } from './command-error.ts';
import { tenantIdPattern } from '../shared/tenancy/tenant.ts';

/**
 * Reads what was typed behind a command's name.
 *
 * @throws UsageError when the command does not take it
 */
export function parseLine(command: Command, args: readonly string[]): CommandLine<Options> {
  const { values, positionals } = parseTyped(command, command.arrange?.(args) ?? args);
  const expected = command.positionals ?? [];
  const missing = expected.slice(positionals.length).find(({ isOptional }) => !isOptional);
  if (missing) throw new UsageError(`Name the <${missing.name}>.`);
  if (positionals.length > expected.length) {
    throw new UsageError(`There is one thing too much: ${JSON.stringify(positionals[expected.length])}.`);
  }
  for (const [at, text] of positionals.entries()) checkPositional(expected[at], text);
  const options: Record<string, string | boolean | undefined> = {};
  for (const [name, option] of Object.entries(command.options)) {
    const value = values[name];
    if (typeof value === 'string' && option.choices && !option.choices.includes(value)) {
      throw new UsageError(`--${name} is one of ${option.choices.join(', ')}, not ${JSON.stringify(value)}.`);
    }
    options[name] = option.value === undefined ? value === true : value;
  }
  return { options, positionals } as CommandLine<Options>;
}

function parseTyped(command: Command, args: readonly string[]) {
  const options = Object.entries(command.options).map(
    ([name, { value }]) => [name, { type: value === undefined ? 'boolean' : 'string' }] as const,
  );
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: Object.fromEntries(options) });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UsageError(error.message.replace(/ To specify a positional.*/s, ''), { cause: error });
  }
}

function checkPositional(positional: Positional | undefined, text: string): void {
  const form = positional?.form;
  if (form === 'tenant-id' && !tenantIdPattern.test(text)) {
    throw new UsageError(
      `${JSON.stringify(text)} is no tenant id: 3 to 40 lower-case letters, digits and hyphens. "list" shows those there are.`,
    );
  }
  if (typeof form === 'object' && !form.includes(text)) {
    throw new UsageError(`<${positional?.name}> is one of ${form.join(', ')}, not ${JSON.stringify(text)}.`);
  }
}

import { parseArgs, type ParseArgsConfig } from 'node:util';
import { StartupError } from './stack/startup-error.ts';

/** Arguments that a command does not take; shown above its usage. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * Reads the arguments of a command, and answers `--help` with its usage. An empty value is refused: it is what an unset variable of a
 * shell leaves behind, and nobody's wish.
 *
 * @throws UsageError
 */
export function readArguments<const Config extends ParseArgsConfig & { options: object }>(
  usage: string,
  config: Config,
): ReturnType<typeof parseArgs<Config>> {
  if (asksForHelp(process.argv.slice(2))) {
    console.log(usage);
    process.exit(0);
  }
  const parsed = parse(config);
  for (const [name, value] of Object.entries(parsed.values)) {
    if ([value].flat().includes('')) throw new UsageError(`--${name} needs a value.`);
  }
  return parsed;
}

/**
 * Shows why a command failed, without a stack trace if the message says it all.
 *
 * @param known further errors of which it does
 */
export function showFailure(error: unknown, usage: string, ...known: readonly (new (...args: never) => Error)[]): void {
  const isKnown = [UsageError, StartupError, ...known].some((type) => error instanceof type);
  console.error(isKnown && error instanceof Error ? error.message : error);
  if (error instanceof UsageError) console.error(usage);
}

function asksForHelp(args: readonly string[]): boolean {
  return args.includes('--help') || args.includes('-h');
}

function parse<const Config extends ParseArgsConfig>(config: Config): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    throw error instanceof Error && code.startsWith('ERR_PARSE_ARGS') ? new UsageError(error.message) : error;
  }
}

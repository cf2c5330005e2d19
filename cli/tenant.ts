import { CommandError, UsageError } from './command-error.ts';
import { commands } from './commands/index.ts';
import { completeTenants } from './completion/complete-tenants.ts';
import { parseLine } from './parse-line.ts';
import { printableLines } from './terminal/printable.ts';
import { overviewOf, program, typedOf, usageOf } from './usage.ts';

/** Runs what was typed, and returns the exit code: 0 done, 1 refused or failed, 2 not typed as it has to be. */
async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined) {
    console.error(overviewOf(commands));
    return 2;
  }
  if (name === 'help' && args[0] !== undefined) return main([args[0], '--help']);
  if (name === '--help' || name === '-h' || name === 'help') {
    console.log(overviewOf(commands));
    return 0;
  }
  if (name === 'complete-tenants') return completeTenants(args);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) return fail(new UsageError(`There is no command ${name}.\n${overviewOf(commands)}`));
  const beforeRest = args.slice(0, args.includes('--') ? args.indexOf('--') : undefined);
  if (beforeRest.includes('--help') || beforeRest.includes('-h')) {
    console.log(usageOf(name, command));
    return 0;
  }
  try {
    return await command.run(parseLine(command, args));
  } catch (error) {
    if (!(error instanceof UsageError)) return fail(error, command.failureCode);
    return fail(
      new UsageError(`${error.message}\n${typedOf(name, command)}\nMore: ${program} ${name} --help`, { cause: error }),
    );
  }
}

/** What a command could not foresee is a fault of its own, and shown with where it happened. */
function fail(error: unknown, failureCode = 1): number {
  if (error instanceof CommandError) {
    console.error(printableLines(error.message));
    return error instanceof UsageError ? 2 : failureCode;
  }
  console.error(error);
  return failureCode;
}

// Whoever reads the output may have seen enough, as `head` has. What is lost otherwise was wanted.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  process.exit(code === 'EPIPE' ? undefined : fail(new CommandError(`The output cannot be written (${code}).`)));
});
main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error: unknown) => (process.exitCode = fail(error)),
);

import { auditCommand } from './audit.ts';
import type { Command } from './command.ts';
import { CommandError } from './command-error.ts';
import { listCommand } from './list.ts';
import { showCommand } from './show.ts';

const commands: Readonly<Record<string, Command>> = {
  list: listCommand,
  show: showCommand,
  audit: auditCommand,
};

const usage = [
  'usage: npm run -s tenant -- <command> [options]',
  '',
  ...Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}`),
  '',
  'More on each: npm run -s tenant -- <command> --help',
].join('\n');

async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h') {
    console[name === undefined ? 'error' : 'log'](usage);
    return name === undefined ? 2 : 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) throw new CommandError(`There is no command ${name}.\n${usage}`);
  if (args.includes('--help') || args.includes('-h')) {
    console.log(command.usage);
    return 0;
  }
  try {
    return await command.run(args);
  } catch (error) {
    // What parseArgs throws on options that it does not know.
    if (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')) {
      throw new CommandError(`${error.message}\n${command.usage}`);
    }
    throw error;
  }
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(error instanceof CommandError ? error.message : error);
    // Not 1, by which a command says that it has found something.
    process.exitCode = 2;
  },
);

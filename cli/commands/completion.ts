import { fileURLToPath } from 'node:url';
import { type Command, defineCommand } from '../command.ts';
import { bashScript } from '../completion/bash.ts';
import { fishScript } from '../completion/fish.ts';
import { completedCommands, quoted } from '../completion/words.ts';
import { zshScript } from '../completion/zsh.ts';

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;
const shells = Object.keys(scripts) as readonly (keyof typeof scripts)[];
const repository = fileURLToPath(new URL('../..', import.meta.url));

/**
 * `tenant completion`
 *
 * @param commands all there are, this one too
 */
export const completionCommand = (commands: () => Readonly<Record<string, Command>>) =>
  defineCommand({
    summary: 'print what makes a shell complete commands and tenants',
    description:
      'Prints a script that completes commands, options and ids of tenants for a command called "tenant". docs/cli.md says how to install it.',
    positionals: [{ name: 'shell', form: shells }],
    options: {},
    async run({ positionals: [name] }) {
      const shell = shells.find((known) => known === name) ?? 'bash';
      process.stdout.write(scripts[shell](completedCommands(commands()), askForTenants));
      return 0;
    },
  });

/** Without npm, which would take longer than all the rest, and in the folder that npm would run it in. */
const askForTenants = [
  `sh -c 'cd "$0" && exec "$@"'`,
  ...[repository, process.execPath, 'local/run.cjs', '../cli/tenant', 'complete-tenants'].map(quoted),
].join(' ');

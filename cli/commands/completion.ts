import { defineCommand } from '../command.ts';

/** `tenant completion` */
export const completionCommand = defineCommand({
  summary: 'print what makes a shell complete commands and tenants',
  description: 'Prints a script.',
  positionals: [{ name: 'shell', form: ['bash', 'zsh', 'fish'] }],
  options: {},
  async run() {
    return 0;
  },
});

import { createInterface } from 'node:readline/promises';
import { CommandError, UsageError } from '../command-error.ts';

/**
 * Asks whoever sits at the terminal to type the id of a tenant.
 *
 * @param what is going to happen
 * @throws UsageError when there is no terminal to ask at, CommandError when something else is typed
 */
export async function confirmTenant(tenantId: string, what: string): Promise<void> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new UsageError(`${what} There is nobody to ask whether that is right: say so with --yes.`);
  }
  const asked = createInterface({ input: process.stdin, output: process.stderr });
  try {
    // Ctrl-C and Ctrl-D are answers too.
    const closed = new Promise<string>((resolve) => asked.once('close', () => resolve('')));
    const typed = await Promise.race([asked.question(`${what}\nType ${tenantId} to go on: `), closed]);
    if (typed.trim() !== tenantId) throw new CommandError('That is another id. Nothing was done.');
  } finally {
    asked.close();
  }
}

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CommandError } from '../command-error.ts';

const tokenCommand = fileURLToPath(new URL('../../local/token.ts', import.meta.url));

/**
 * An operator's token of the local issuer, from the command that mints them.
 *
 * @throws CommandError with what the command said
 */
export async function operatorToken(dataDir: string): Promise<string> {
  const args = [tokenCommand, '--operator', '--user', 'local-operator', '--data', dataDir];
  try {
    const { stdout } = await promisify(execFile)(process.execPath, args);
    return stdout.trim();
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    if (said === '') throw error;
    throw new CommandError(said, { cause: error });
  }
}

import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { lockFolder } from './folder-lock.ts';
import { makeFolder, makePrivateFolder } from './folders.ts';
import { claimFolder } from './folder-marker.ts';
import { StartupError } from './startup-error.ts';

/** Below the folder that the command is run in. */
export const defaultDataDir = '.local';

export interface DataFolder {
  readonly path: string;
  file(name: string): string;
  /** Lets another stack use the folder. */
  release(): Promise<void>;
}

/**
 * Makes the folder that holds a stack's data if it is missing, and keeps other stacks out of it until it is released. What a killed run
 * left of its own lock is taken over.
 *
 * @throws StartupError if it cannot be written, holds something else, or another stack is using it
 */
export async function openDataFolder(dir: string): Promise<DataFolder> {
  const path = resolve(dir);
  const file = (name: string): string => join(path, name);
  try {
    // Others may pass through, since a Postgres that root starts may run as another user, but not look around.
    await makeFolder(path, 0o711);
    await claimFolder(path);
    await lockFolder(file('lock'), path);
    // What they hold is run, or tells what tenants do: nobody else has anything to do in them.
    for (const name of ['logs', 'redis']) await makePrivateFolder(file(name));
  } catch (error) {
    if (error instanceof StartupError) throw error;
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new StartupError(
      `The data folder ${path} cannot be written (${reason}). Choose another with --data DIR.`,
      error,
    );
  }
  await rm(file('stack.json'), { force: true });
  const release = async (): Promise<void> => {
    await rm(file('stack.json'), { force: true });
    await rm(file('lock'), { force: true });
  };
  return { path, file, release };
}

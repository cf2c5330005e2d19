import { chmod, mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder if it is missing, and those above it. Unlike `mkdir` with `recursive`, which never returns where a file system knows
 * the folder above and still cannot make one in it, as below /proc.
 */
export async function makeFolder(path: string, mode: number): Promise<void> {
  if (await isMade(path, mode)) return;
  const parent = dirname(path);
  if (await isMissing(parent)) await makeFolder(parent, mode);
  await mkdir(path, { mode });
}

/** Makes a folder that is for its owner alone, or makes it so. */
export async function makePrivateFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await chmod(path, 0o700);
}

async function isMade(path: string, mode: number): Promise<boolean> {
  try {
    await mkdir(path, { mode });
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return true;
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

/** Only a file that is not there is missing; one that cannot be looked at is an error. */
export async function isMissing(path: string): Promise<boolean> {
  try {
    await stat(path);
    return false;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return true;
    throw error;
  }
}

/** Whether the file system gave this reason, such as `ENOENT`. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

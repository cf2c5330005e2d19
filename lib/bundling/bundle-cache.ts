import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * The folder `key` of the cache, made if it is not there. Every user of a checkout may use what is in the cache; one who cannot write
 * to it, or cannot read what another keeps there, gets a folder of his own, which lasts as long as the process.
 *
 * @param key stands for everything that the content depends on
 * @param make writes the content into an empty folder
 */
export function cached(cache: string, key: string, make: (folder: string) => void): string {
  const kept = join(cache, key);
  if (isReadable(kept)) return kept;
  const unfinished = existsSync(kept) ? undefined : newFolderIn(cache);
  const folder = unfinished ?? temporaryFolder();
  try {
    make(folder);
    if (unfinished === undefined) return folder;
    renameSync(unfinished, kept);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    // Another process was faster: what it made is the same.
    if (!isReadable(kept)) throw error;
  }
  removeOld(cache);
  return kept;
}

/** Tried, since permissions are more than the bits of a mode. */
function isReadable(folder: string): boolean {
  return succeeds(() => readdirSync(folder).forEach((name) => statSync(join(folder, name))));
}

/** Undefined where we may not write. With the usual mode, unlike mkdtemp, whose folders are for their maker alone. */
function newFolderIn(cache: string): string | undefined {
  const folder = join(cache, `unfinished-${randomUUID()}`);
  return succeeds(() => mkdirSync(folder, { recursive: true })) ? folder : undefined;
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tenantry-bundle-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Every change leaves a folder behind. Those of today stay: another process may be copying one. */
function removeOld(cache: string): void {
  const yesterday = Date.now() - 24 * 60 * 60 * 1000;
  for (const name of readdirSync(cache)) {
    const path = join(cache, name);
    const modified = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? yesterday;
    // What belongs to another user is left to him.
    if (modified < yesterday) succeeds(() => rmSync(path, { recursive: true, force: true }));
  }
}

function succeeds(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (['ENOENT', 'EACCES', 'EPERM', 'EROFS'].includes(String(code))) return false;
    throw error;
  }
}

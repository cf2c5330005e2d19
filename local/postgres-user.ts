import { spawnSync } from 'node:child_process';
import { mkdir, realpath } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { StartupError } from './stack/startup-error.ts';

/** How to run Postgres: what stands before its command, and as whom. */
export interface PostgresUser {
  readonly prefix: readonly string[];
  readonly ids: { uid?: number };
}

const nobody = 65_534;

/**
 * Makes the data folder if it is missing, and finds out how to run Postgres when we are root, or a user without a name as in some
 * containers, both of whom it refuses: in a user namespace where our files belong to "nobody", or, where the kernel has none, as
 * "nobody" itself.
 *
 * @param program what will be run
 * @throws StartupError if "nobody" cannot reach the program or the data folder
 */
export async function postgresUser(dataDir: string, program: string): Promise<PostgresUser> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  if (process.getuid?.() !== 0 && hasName()) return { prefix: [], ids: {} };
  const namespace = ['unshare', '--user', `--map-user=${nobody}`, `--map-group=${nobody}`, '--'];
  const [command, ...args] = [...namespace, 'true'] as const;
  if (spawnSync(command, args).status === 0) return { prefix: namespace, ids: {} };
  requirePassage(...foldersAbove(await realpath(dataDir)), ...foldersAbove(program));
  return { prefix: [], ids: { uid: nobody } };
}

function hasName(): boolean {
  try {
    return userInfo().username !== '';
  } catch {
    return false;
  }
}

/** The outermost folder first. */
function foldersAbove(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [] : [...foldersAbove(parent), parent];
}

/** Tried as that very user, since permissions are more than the bits of a mode. */
function requirePassage(...folders: readonly string[]): void {
  const script = 'for folder; do test -x "$folder" || { printf %s "$folder"; exit; }; done';
  const { stdout } = spawnSync('/bin/sh', ['-c', script, 'sh', ...folders], {
    uid: nobody,
    gid: nobody,
    encoding: 'utf8',
  });
  if (!stdout) return;
  throw new StartupError(
    `Postgres refuses to run as root, and the user "nobody", who runs it instead, cannot pass through ${stdout}. ` +
      `Run "chmod o+x ${stdout}", or keep checkout and data in another folder, or start as another user than root.`,
  );
}

import { execFile } from 'node:child_process';
import { chown, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { PostgresUser } from './postgres-user.ts';
import { hasCode, isMissing } from './stack/folders.ts';
import { StartupError } from './stack/startup-error.ts';

const run = promisify(execFile);

export interface ClusterOptions {
  readonly initdb: string;
  readonly user: PostgresUser;
  readonly superuser: string;
  readonly password: string;
}

/** Whether a folder holds a cluster. False also for what is no folder. */
export async function isCluster(folder: string): Promise<boolean> {
  try {
    return !(await isMissing(join(folder, 'PG_VERSION')));
  } catch (error) {
    if (hasCode(error, 'ENOTDIR')) return false;
    // Another user's folder, which is for prepareCluster to refuse.
    if (hasCode(error, 'EACCES')) return true;
    throw error;
  }
}

/**
 * Makes a cluster in an empty folder, or sees to it that the one which is there can be taken up. Removes nothing but what an earlier
 * start, killed half-way, had made so far.
 *
 * @throws StartupError if the folder holds something else, or belongs to another user
 */
export async function prepareCluster(folder: string, options: ClusterOptions): Promise<void> {
  const { uid = process.getuid?.() } = options.user.ids;
  const names = await readdir(folder).catch((error: unknown) => {
    if (hasCode(error, 'EACCES')) return undefined;
    throw error;
  });
  if (names?.length === 0) return make(folder, options);
  const owner = (await stat(folder)).uid;
  if (names === undefined || (uid !== undefined && owner !== uid))
    throw new StartupError(
      `${folder} belongs to user ${owner}, and Postgres would run as user ${uid} now, who cannot use it. ` +
        'Start the stack as it was started first, or choose another data folder with --data DIR.',
    );
  if (!names.includes('PG_VERSION'))
    throw new StartupError(
      `${folder} is not empty and holds no Postgres cluster: PG_VERSION is missing. Nothing was changed. ` +
        'Put back what is missing, move the folder away, or choose another data folder with --data DIR.',
    );
  await endPreviousRun(folder);
}

/** The cluster appears in its place when it is complete, so that a start which is killed leaves nothing half-made there. */
async function make(folder: string, options: ClusterOptions): Promise<void> {
  const parent = dirname(folder);
  const draftsOfThis = `.${basename(folder)}.`;
  for (const name of await readdir(parent)) {
    if (name.startsWith(draftsOfThis)) await rm(join(parent, name), { recursive: true, force: true, maxRetries: 5 });
  }
  const draft = await mkdtemp(join(parent, draftsOfThis));
  const { uid } = options.user.ids;
  if (uid !== undefined) await chown(draft, uid, uid);
  await initialise(draft, options);
  await rename(draft, folder);
}

async function initialise(folder: string, { initdb, user, superuser, password }: ClusterOptions): Promise<void> {
  const [command, ...args] = [
    ...user.prefix,
    'sh',
    '-c',
    // The password goes through a here-document of the shell, so that it never stands in a list of processes.
    `exec "$0" "$@" --pwfile=/dev/stdin <<END\n$SUPERUSER_PASSWORD\nEND`,
    initdb,
    '-D',
    folder,
    `--username=${superuser}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C.UTF-8',
    '--no-sync',
  ];
  try {
    const env = { ...process.env, SUPERUSER_PASSWORD: password };
    await run(command, args, { env, ...(user.ids.uid !== undefined && { uid: user.ids.uid, gid: user.ids.uid }) });
  } catch (error) {
    const printed = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    throw new StartupError(`Postgres could not be set up in ${folder}: ${printed || String(error)}`, error);
  }
}

/** A server of a killed run may still be shutting down: it is waited for, since two servers must not share a folder. */
async function endPreviousRun(dataDir: string): Promise<void> {
  const lock = join(dataDir, 'postmaster.pid');
  for (let tries = 0; tries < 100; tries += 1) {
    const pid = await readFile(lock, 'utf8').then(
      (text) => Number(text.split('\n')[0]),
      () => undefined,
    );
    if (!pid || !isAlive(pid)) return;
    if (await isAnotherProgram(pid)) return rm(lock, { force: true });
    await sleep(100);
  }
  throw new StartupError(
    `Another Postgres is using ${dataDir} (see ${lock}). Stop it, or choose another folder with --data.`,
  );
}

/** After a crash of the machine the process id may be in use again. Known only where the system tells what runs (Linux). */
async function isAnotherProgram(pid: number): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => 'postgres');
  return command.trim() !== 'postgres';
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

import { readFileSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
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
 * @throws StartupError if it cannot be written or another stack is using it
 */
export async function openDataFolder(dir: string): Promise<DataFolder> {
  const path = resolve(dir);
  const file = (name: string): string => join(path, name);
  try {
    // Others may pass through, since a Postgres that root starts may run as another user, but not look around.
    await mkdir(path, { recursive: true, mode: 0o711 });
    await mkdir(file('logs'), { recursive: true, mode: 0o700 });
    await lock(file('lock'), path);
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

async function lock(lockFile: string, path: string): Promise<void> {
  const own = `${process.pid} ${startTimeOf(process.pid)}`;
  for (let tries = 0; tries < 3; tries += 1) {
    try {
      await writeFile(lockFile, own, { flag: 'wx', mode: 0o600 });
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const [pid = '', startTime = ''] = (await readFile(lockFile, 'utf8').catch(() => '')).split(' ');
    if (isRunning(Number(pid), startTime)) {
      throw new StartupError(
        `A stack is running in ${path} already (process ${pid}). Stop it, or choose another folder with --data DIR.`,
      );
    }
    await rm(lockFile, { force: true });
  }
  throw new StartupError(`Another stack is starting in ${path}. Choose another folder with --data DIR.`);
}

function isRunning(pid: number, startTime: string): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
  }
  return startTimeOf(pid) === startTime;
}

/** Tells a process from a later one with the same number, where the system says when it started. */
function startTimeOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

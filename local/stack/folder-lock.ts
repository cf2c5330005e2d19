import { readFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { StartupError } from './startup-error.ts';

/**
 * Keeps other stacks out of a folder until the lock file is removed. What a killed run left of its own lock is taken over.
 *
 * @throws StartupError if another stack is using the folder
 */
export async function lockFolder(lockFile: string, path: string): Promise<void> {
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

/**
 * Tells a process from a later one with the same number, where the system says when it started. One that has ended but that nobody has
 * asked after yet, as happens in containers, has no start time any more.
 */
function startTimeOf(pid: number): string {
  try {
    const [state = '', ...fields] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return state === 'Z' ? '' : (fields[18] ?? '');
  } catch {
    return '';
  }
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { atMost, type Bench } from './bench.ts';

/** `npm run dev` to its `ready` line, with a new data folder and then again with the same one. */
export const bench: Bench = async (progress) => {
  const data = await mkdtemp(join(tmpdir(), 'tenantry-local-start-'));
  try {
    progress('first start, nothing there yet');
    const first = await secondsToReady(data);
    progress('second start');
    const warm = await secondsToReady(data);
    return {
      rows: [
        { case: 'first start', value: first, unit: 's' },
        { case: 'warm start', value: warm, unit: 's' },
      ],
      ratios: [atMost('seconds of a warm start', warm, 10)],
    };
  } finally {
    await rm(data, { recursive: true, force: true });
  }
};

/** A stack keeps its data folder locked until all that it started has ended. */
const isLocked = (data: string): Promise<boolean> =>
  access(join(data, 'lock')).then(
    () => true,
    () => false,
  );

async function secondsToReady(data: string): Promise<number> {
  const started = performance.now();
  const child = spawn('npm', ['run', '--silent', 'dev', '--', '--port', '0', '--data', data], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const exit = once(child, 'exit');
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.startsWith('ready')) return (performance.now() - started) / 1000;
    }
    throw new Error('The local stack ended before it was ready.');
  } finally {
    // npm passes the signal on and is gone at once; the stack takes a moment to stop all that it started.
    child.kill('SIGTERM');
    await exit;
    while (await isLocked(data)) await sleep(50);
  }
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** A stack keeps its data folder locked until all that it started has ended. */
const isLocked = (data: string): Promise<boolean> =>
  access(join(data, 'lock')).then(
    () => true,
    () => false,
  );

/** Starts the local stack as its users do, does `work` once it is ready, and stops it. */
export async function withStack<T>(data: string, work: () => Promise<T> | T): Promise<T> {
  const child = spawn('npm', ['run', '--silent', 'dev', '--', '--port', '0', '--data', data], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const exit = once(child, 'exit');
  try {
    await untilReady(child.stdout);
    child.stdout.resume();
    return await work();
  } finally {
    // npm passes the signal on and is gone at once; the stack takes a moment to stop all that it started.
    child.kill('SIGTERM');
    await exit;
    while (await isLocked(data)) await sleep(50);
  }
}

async function untilReady(output: Readable): Promise<void> {
  const lines = createInterface({ input: output });
  for await (const line of lines) if (line.startsWith('ready')) return;
  throw new Error('The local stack ended before it was ready.');
}

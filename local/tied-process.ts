import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';

/**
 * Runs the command in the background and waits for it, or ends it as soon as standard input closes. That happens
 * also when this process is killed outright, so that no server outlives the stack that started it.
 */
const script = `
exec 3<&0
"$@" </dev/null & child=$!
( cat <&3 >/dev/null; kill -$STOP_SIGNAL $child 2>/dev/null ) & watcher=$!
wait $child; code=$?
kill $watcher 2>/dev/null
exit $code
`;

export interface TiedProcess {
  readonly child: ChildProcess;
  /** What the process has printed last, for an error message. */
  output(): string;
  /** Resolves if the process ends without being asked to, with how it ended: `signal SIGKILL`, `exit status 1`. */
  readonly crashed: Promise<string>;
  /** Ends the process and resolves when it is gone. */
  stop(): Promise<void>;
}

/**
 * Starts a server that ends with this process, however that ends. It has a process group of its own, so that Ctrl-C in the
 * terminal reaches us first and servers are stopped in our order.
 *
 * @param stopSignal what asks the server to end, without the `SIG`
 */
export function spawnTied(
  command: readonly string[],
  options: { stopSignal: 'INT' | 'TERM'; uid?: number },
): TiedProcess {
  const child = spawn('/bin/sh', ['-c', script, 'sh', ...command], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
    env: { ...process.env, STOP_SIGNAL: options.stopSignal },
    ...(options.uid !== undefined && { uid: options.uid, gid: options.uid }),
  });
  let printed = '';
  let isStopping = false;
  const keep = (chunk: Buffer): void => {
    printed = (printed + chunk.toString()).slice(-4_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.stdin.on('error', () => undefined);
  const { promise: crashed, resolve } = Promise.withResolvers<string>();
  child.on('exit', (code, signal) => {
    child.stdin.end();
    if (!isStopping) resolve(howItEnded(code, signal));
  });
  return {
    child,
    output: () => printed,
    crashed,
    stop: async () => {
      isStopping = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.stdin.end();
      await gone;
    },
  };
}

/** The shell between us and the process reports a signal as 128 and its number. */
function howItEnded(code: number | null, signal: string | null): string {
  const name = Object.entries(constants.signals).find(([, number]) => number + 128 === code)?.[0];
  return (signal ?? name) ? `signal ${signal ?? name}` : `exit status ${code}`;
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

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
  const keep = (chunk: Buffer): void => {
    printed = (printed + chunk.toString()).slice(-4_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.stdin.on('error', () => undefined);
  child.on('exit', () => child.stdin.end());
  return {
    child,
    output: () => printed,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.stdin.end();
      await gone;
    },
  };
}

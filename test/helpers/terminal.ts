import { spawn, spawnSync } from 'node:child_process';

/** Why nothing can be run at a terminal here; undefined if it can: `script` of util-linux makes one. */
export const noTerminal = isUtilLinux(spawnSync('script', ['--version'], { encoding: 'utf8' }))
  ? undefined
  : 'There is no "script" of util-linux to make a terminal.';

function isUtilLinux({ error, stdout }: ReturnType<typeof spawnSync>): boolean {
  return error === undefined && stdout.toString().includes('util-linux');
}

export interface TerminalRun {
  readonly code: number | null;
  /** All that stood on the terminal, what was typed too. */
  readonly screen: string;
}

/** What would decide about colours in place of the terminal. */
const undecided = { NO_COLOR: undefined, FORCE_COLOR: undefined, NODE_DISABLE_COLORS: undefined, CI: undefined };

/**
 * Runs a command line at a terminal of 80 columns unless told otherwise.
 *
 * @param type gets what stands on the screen so far, and returns what to type next; nothing for nothing
 */
export function atTerminal(
  command: string,
  options: { readonly columns?: number; readonly env?: object; readonly type?: (screen: string) => string } = {},
): Promise<TerminalRun> {
  const { columns = 80, env = {}, type = () => '' } = options;
  const child = spawn('script', ['-qec', `stty cols ${columns}; ${command}`, '/dev/null'], {
    env: { ...process.env, ...undecided, ...env, TERM: 'xterm', SHELL: '/bin/bash' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let screen = '';
  child.stdout.on('data', (chunk: Buffer) => {
    screen += chunk.toString();
    const typed = type(screen);
    if (typed) child.stdin.write(typed);
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, screen })));
}

/** A function for `type` that types each text once, when its cue has come up. */
export function typing(...cues: readonly (readonly [cue: RegExp, text: string])[]): (screen: string) => string {
  const left = [...cues];
  return (screen) => {
    const [next] = left;
    if (!next?.[0].test(screen)) return '';
    left.shift();
    return next[1];
  };
}

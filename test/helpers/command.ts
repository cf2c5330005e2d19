import { execFile } from 'node:child_process';

/** What a command printed, and its exit code. */
export interface CommandRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs what the operator types after `npm run -s tenant --`. */
export function tenantCommand(...args: readonly string[]): Promise<CommandRun> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['local/run.cjs', '../cli/tenant', ...args], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

import { execFile } from 'node:child_process';

/** What a command printed, and its exit code. */
export interface CommandRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs what the operator types after `npm run -s tenant --`. */
export const tenantCommand = (...args: readonly string[]): Promise<CommandRun> => tenantCommandWith({}, ...args);

/** The same, with variables of the environment. */
export function tenantCommandWith(env: object, ...args: readonly string[]): Promise<CommandRun> {
  const options = { env: { ...process.env, ...env } };
  return new Promise((resolve) => {
    execFile(process.execPath, ['local/run.cjs', '../cli/tenant', ...args], options, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

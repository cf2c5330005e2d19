import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import * as z from 'zod';

/** What `npm run dev` came to: its output, and its process, which may have ended already. */
export interface DevRun {
  readonly child: ChildProcess;
  output(): string;
  /** The exit code, once the process has ended. */
  readonly ended: Promise<number | null>;
  /** Resolves with the URL of the line `ready  …`. @throws Error with the output if the process ends before it */
  readonly ready: Promise<string>;
}

/** Starts the local stack as `npm run dev` does, on a free port unless told otherwise. */
export function runDev(
  dataDir: string,
  options: { readonly port?: number; readonly env?: Readonly<Record<string, string>>; readonly cwd?: string } = {},
): DevRun {
  const { port = 0, env = {}, cwd = '.' } = options;
  const child = spawn(
    process.execPath,
    [resolve(cwd, 'local/run.cjs'), 'dev', '--port', String(port), '--data', dataDir],
    {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  const ready = Promise.withResolvers<string>();
  const keep = (chunk: Buffer): void => {
    output += chunk.toString();
    const [, url] = /^ready {2}(http:\/\/127\.0\.0\.1:\d+)$/m.exec(output) ?? [];
    if (url) ready.resolve(url);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const ended = once(child, 'close').then(([code]: (number | null)[]) => code ?? null);
  void ended.then((code) => ready.reject(new Error(`The stack ended with ${code} before it was ready:\n${output}`)));
  ready.promise.catch(() => undefined);
  return { child, output: () => output, ended, ready: ready.promise };
}

/** Asks a run to stop and waits until it has. */
export async function stopDev(run: DevRun): Promise<number | null> {
  run.child.kill('SIGTERM');
  return run.ended;
}

const stackFile = z.object({
  apiUrl: z.string(),
  controlPlaneUrl: z.string(),
  controlPlaneIamUrl: z.string(),
  awsCredentialsFile: z.string(),
  issuerUrl: z.string(),
  dataApiUrl: z.string(),
  apiGatewayUrl: z.string(),
  eventBridgeUrl: z.string(),
  postgresUrl: z.string(),
  postgresUrls: z.record(z.string(), z.string()),
  redisUrl: z.string(),
  resources: z.object({
    region: z.string(),
    clusters: z.record(z.string(), z.string()),
    masterSecrets: z.record(z.string(), z.string()),
  }),
});
export type StackFile = z.infer<typeof stackFile>;

export async function readStackFile(dataDir: string): Promise<StackFile> {
  return stackFile.parse(JSON.parse(await readFile(join(dataDir, 'stack.json'), 'utf8')));
}

import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { makePassableFolder } from './passable-folder.ts';
import { type DevRun, runDev, stopDev } from './stack.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The local stack of this run. */
    stack: { readonly apiUrl: string; readonly dataDir: string };
  }
}

let run: DevRun | undefined;
let dataDir = '';

/** One local stack for a whole run, started as a newcomer starts it. */
export async function setup(project: TestProject): Promise<void> {
  dataDir = join(await makePassableFolder('tenantry-e2e-'), 'data');
  run = runDev(dataDir);
  project.provide('stack', { apiUrl: await run.ready, dataDir });
}

export async function teardown(): Promise<void> {
  if (run) await stopDev(run);
  await rm(dirname(dataDir), { recursive: true, force: true });
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { runDev, stopDev } from './stack.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The local stack of this run. */
    stack: { readonly apiUrl: string; readonly dataDir: string };
  }
}

/** One local stack for a whole run, started as a newcomer starts it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tenantry-e2e-'));
  const run = runDev(dataDir);
  project.provide('stack', { apiUrl: await run.ready, dataDir });
  return async () => {
    await stopDev(run);
    await rm(dataDir, { recursive: true, force: true });
  };
}

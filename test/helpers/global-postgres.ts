import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startPostgres } from '../../local/postgres.ts';
import { createTemplate } from './database-template.ts';
import { makePassableFolder } from './passable-folder.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Port of the Postgres of this run, and the name of a migrated database to clone. */
    postgres: { readonly port: number; readonly password: string; readonly template: string };
  }
}

/** One Postgres for a whole run; each test file clones its migrated template database. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = await makePassableFolder('tenantry-test-');
  const password = 'superuser';
  // Nothing here has to outlive a crash of the machine.
  const settings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };
  const postgres = await startPostgres({ dataDir: join(dataDir, 'postgres'), superuserPassword: password, settings });
  const template = await createTemplate(postgres);
  project.provide('postgres', { port: postgres.port, password, template });
  return async () => {
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
}

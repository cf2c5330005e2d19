import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startPostgres } from '../../local/postgres.ts';
import { createTemplate } from './database-template.ts';
import { makePassableFolder } from './passable-folder.ts';
import type { TestServer } from './worker-postgres.ts';

/** A Postgres a worker for a whole run; each test file clones the migrated template database of its worker's. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await makePassableFolder('tenantry-test-');
  const workers = Array.from({ length: project.config.maxWorkers }, (_, index) => `postgres-${index + 1}`);
  const started = await Promise.all(workers.map((name) => startServer(join(folder, name))));
  project.provide(
    'servers',
    started.map(({ server }) => server),
  );
  return async () => {
    await Promise.all(started.map(({ stop }) => stop()));
    await rm(folder, { recursive: true, force: true });
  };
}

async function startServer(dataDir: string): Promise<{ server: TestServer; stop: () => Promise<void> }> {
  const password = 'superuser';
  // Nothing here has to outlive a crash of the machine.
  const settings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };
  const postgres = await startPostgres({ dataDir, superuserPassword: password, settings });
  const template = await createTemplate(postgres);
  return { server: { port: postgres.port, password, template }, stop: () => postgres.stop() };
}

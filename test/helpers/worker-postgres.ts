import { inject } from 'vitest';

/** A Postgres server, and the name of a migrated database to clone. */
export interface TestServer {
  readonly port: number;
  /** Of the superuser. */
  readonly password: string;
  readonly template: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Of this run: one for each file that may run at the same time. */
    servers: readonly TestServer[];
  }
}

/** The server of whoever runs this test file. Files that run at once share none, since roles and sessions are a server's. */
export function workerPostgres(): TestServer {
  const worker = Number(process.env['VITEST_POOL_ID']);
  const server = inject('servers')[worker - 1];
  if (!server)
    throw new Error(`Worker ${worker} has no Postgres: global-postgres.ts starts ${inject('servers').length}.`);
  return server;
}

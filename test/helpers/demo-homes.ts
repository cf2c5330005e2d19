import { Client } from 'pg';
import { demoTenants } from '../../local/demo.ts';
import { readStackFile, type StackFile } from './stack.ts';

/** Every place where a demo tenant lives, as the superuser sees it: past all isolation. */
export interface DemoHomes extends AsyncDisposable {
  /** What a statement finds in all of them together. It names tables without a schema. */
  query<Row extends object>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
}

interface Home {
  readonly cluster: string;
  readonly database: string;
  readonly schema: string;
}

export async function openDemoHomes(dataDir: string): Promise<DemoHomes> {
  const stack = await readStackFile(dataDir);
  const homes = await listHomes(stack);
  const clients = await Promise.all(homes.map((home) => connect(stack, home)));
  return {
    query: async <Row extends object>(sql: string, values: readonly unknown[] = []) => {
      const found = await Promise.all(clients.map((client) => client.query<Row>(sql, [...values])));
      return found.flatMap(({ rows }) => rows);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(clients.map((client) => client.end()));
    },
  };
}

async function listHomes(stack: StackFile): Promise<Home[]> {
  const client = new Client({ connectionString: stack.postgresUrl });
  await client.connect();
  try {
    const { rows } = await client.query<Home>(
      'select distinct cluster, database, schema from registry.tenants where tenant_id = any($1)',
      [demoTenants.map(({ id }) => id)],
    );
    return rows;
  } finally {
    await client.end();
  }
}

async function connect(stack: StackFile, { cluster, database, schema }: Home): Promise<Client> {
  const url = new URL(stack.postgresUrls[cluster] ?? '');
  url.pathname = database;
  const client = new Client({ connectionString: url.href, options: `-c search_path=${schema}` });
  await client.connect();
  return client;
}

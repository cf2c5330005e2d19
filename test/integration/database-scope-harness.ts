import {
  type Compilable,
  type CompiledQuery,
  DummyDriver,
  Kysely,
  type KyselyPlugin,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from 'kysely';
import type { Client } from 'pg';
import { ScopePlugin } from '../../shared/database/scope-plugin.ts';
import type { Tables } from '../../shared/database/tables.ts';
import { runWithTenant } from '../../shared/tenancy/index.ts';
import { capabilityFor } from '../helpers/capability.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';

export type Database = Kysely<Tables>;
export type Rows = readonly (readonly unknown[])[];

/** What a statement has answered, and what the tables hold after it. */
export interface Outcome {
  /** In no order, or the name of the error. */
  readonly rows: Rows | string;
  readonly projects: Rows;
  readonly tasks: Rows;
}

const compiling = (...plugins: KyselyPlugin[]): Database =>
  new Kysely<Tables>({
    plugins,
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createQueryCompiler: () => new PostgresQueryCompiler(),
      createIntrospector: (db) => new PostgresIntrospector(db),
    },
  });

const plain = compiling();
const tenantId = 'acme';

/** The same rows twice: in tables with policies, and in tables without any. */
export interface ScopeDatabases extends AsyncDisposable {
  readonly policies: TestDatabase;
  readonly open: TestDatabase;
}

export async function startScopeDatabases(): Promise<ScopeDatabases> {
  const [policies, open] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  for (const postgres of [policies, open]) {
    await postgres.addTenants('acme', 'globex');
    await seed(postgres);
  }
  await open.superuser.query(`
    alter table pool.projects disable row level security;
    alter table pool.tasks disable row level security;
    drop trigger fence on pool.projects;
    drop trigger fence on pool.tasks`);
  return {
    policies,
    open,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([policies[Symbol.asyncDispose](), open[Symbol.asyncDispose]()]);
    },
  };
}

type MakeQuery = (db: Database) => Compilable;

/** The query as it is, over tables with row-level security, which alone decides what it sees. */
export async function behindPolicies({ policies }: ScopeDatabases, query: MakeQuery): Promise<Outcome> {
  const { sql, parameters } = query(plain).compile();
  return inTransaction(policies.app, async (client) => {
    await client.query(`select tenancy.enter($1, 'pool', false, 'select 1', '[]')`, [capabilityFor(tenantId)]);
    return outcome(client, sql, parameters);
  });
}

/**
 * The query as the plugin rewrites it, over tables without row-level security. There is no capability, so that a row whose tenant the
 * plugin has not filled in is refused.
 */
export async function behindPlugin(
  { open }: ScopeDatabases,
  query: MakeQuery,
  plugin: KyselyPlugin | null = new ScopePlugin(),
): Promise<Outcome> {
  const { sql, parameters } = rewritten(query, plugin);
  return inTransaction(open.app, async (client) => {
    await client.query(`set local search_path = pool, pg_temp`);
    return outcome(client, sql, parameters);
  });
}

/** @param plugin null for the query as it is */
export function rewritten(query: MakeQuery, plugin: KyselyPlugin | null = new ScopePlugin()): CompiledQuery {
  const placement = { model: 'pool', cluster: 'main', database: 'tenantry', schema: 'pool' } as const;
  const context = { tenantId, plan: 'free', placement, userId: 'u', roles: [], capability: '' } as const;
  return runWithTenant(context, () => query(plugin ? compiling(plugin) : plain).compile());
}

async function inTransaction<T>(client: Client, work: (client: Client) => Promise<T>): Promise<T> {
  // Of random queries some multiply their tables by each other.
  await client.query(`begin; set local statement_timeout = '500ms'`);
  try {
    return await work(client);
  } finally {
    await client.query('rollback');
  }
}

async function outcome(client: Client, text: string, values: readonly unknown[]): Promise<Outcome> {
  const read = async (sql: string, parameters: readonly unknown[] = []): Promise<Rows> => {
    const { rows } = await client.query({ text: sql, values: [...parameters], rowMode: 'array' });
    return (rows as unknown[][]).map((row) => row.map(String)).sort((a, b) => (String(a) < String(b) ? -1 : 1));
  };
  await client.query('savepoint before');
  const rows = await read(text, values).catch((error: Error & { code?: string }) => error.code ?? error.message);
  if (typeof rows === 'string') await client.query('rollback to before');
  return {
    rows,
    projects: await read('select tenant_id, id, name, description, archived, version from projects'),
    tasks: await read('select tenant_id, id, project_id, title, status, estimate_minutes from tasks'),
  };
}

/** Rows of two tenants that look alike: same ids, same names, so that only tenant_id tells them apart. */
async function seed(postgres: TestDatabase): Promise<void> {
  await postgres.superuser.query(`
    alter table pool.projects disable trigger all;
    alter table pool.tasks disable trigger all;
    insert into pool.projects (tenant_id, id, name, description, archived, version)
    select tenant, ('00000000-0000-7000-8000-00000000000' || n)::uuid, 'Project ' || n, case when n % 2 = 0 then tenant end, n = 3, n
    from unnest(array['acme', 'globex']) tenant, generate_series(1, 4) n where tenant = 'globex' or n <> 4;
    insert into pool.tasks (tenant_id, id, project_id, title, estimate_minutes)
    select tenant, ('00000000-0000-7000-9000-0000000000' || p || n)::uuid, ('00000000-0000-7000-8000-00000000000' || p)::uuid,
      'Task ' || n, n * 10
    from unnest(array['acme', 'globex']) tenant, generate_series(1, 3) p, generate_series(0, 2) n
    where tenant = 'globex' or p <> 2;
    alter table pool.projects enable trigger all;
    alter table pool.tasks enable trigger all`);
}

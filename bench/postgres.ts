import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { startPostgres } from '../local/postgres.ts';
import { databaseRoles, mainDatabase, poolSchema } from '../shared/contract/index.ts';
import { applyMigrations, createRoles, type Execute, readAllMigrations } from '../shared/database/migrator.ts';
import { provisionSchema, publishMigrations } from '../shared/database/provision.ts';
import type { SigningKey } from '../shared/tenancy/index.ts';

export const signingKey: SigningKey = {
  keyId: 'bench',
  secret: Buffer.from('signing-key-of-the-benchmarks-0123456789'),
};

export interface BenchPostgres extends AsyncDisposable {
  readonly port: number;
  readonly superuser: Client;
  /** Another session of the superuser, in which nothing has been looked up yet. The caller ends it. */
  freshSuperuser(): Promise<Client>;
  /** A connection as the application role. */
  readonly app: Client;
}

/** A Postgres of a benchmark's own, migrated as a deployment is, with default durability and settings. */
export async function benchPostgres(): Promise<BenchPostgres> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tenantry-bench-'));
  // The Postgres that root starts may run as another user.
  await chmod(dataDir, 0o711);
  const settings = { shared_buffers: '1GB', max_wal_size: '8GB' };
  const postgres = await startPostgres({ dataDir: join(dataDir, 'postgres'), superuserPassword: 'bench', settings });
  const open = async (database: string, user?: string): Promise<Client> => {
    const url = new URL(postgres.url(database));
    if (user) [url.username, url.password] = [user, user];
    const client = new Client({ connectionString: url.href });
    await client.connect();
    return client;
  };
  const admin = await open('postgres');
  await admin.query(`create database ${mainDatabase}`);
  await admin.end();
  const superuser = await open(mainDatabase);
  const { owner, app: appRole, authorizer, control, operations } = databaseRoles;
  await createRoles(executeWith(superuser), mainDatabase, { owner, app: appRole, authorizer, control, operations });
  const ownerClient = await open(mainDatabase, owner);
  const migrations = await readAllMigrations('migrations');
  await applyMigrations(executeWith(ownerClient), 'kernel', migrations.kernel);
  await applyMigrations(executeWith(ownerClient), 'control', migrations.control);
  await publishMigrations(executeWith(ownerClient), migrations.tenant);
  await provisionSchema(executeWith(ownerClient), poolSchema);
  const keys = JSON.stringify([{ keyId: signingKey.keyId, secret: Buffer.from(signingKey.secret).toString() }]);
  await ownerClient.query('select tenancy.set_signing_keys($1)', [keys]);
  await ownerClient.end();
  const app = await open(mainDatabase, databaseRoles.app);
  return {
    port: postgres.port,
    superuser,
    freshSuperuser: () => open(mainDatabase),
    app,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([app.end(), superuser.end()]);
      await postgres.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function executeWith(client: Client): Execute {
  return async (sql, parameters = {}) => {
    const text = Object.keys(parameters).reduce(
      (result, name, index) => result.replaceAll(`:${name}`, `$${index + 1}`),
      sql,
    );
    const { rows } = await client.query({ text, values: Object.values(parameters), rowMode: 'array' });
    return rows.map((row: unknown[]) => row[0]);
  };
}

/** Fills `projects` with rows for `tenants` tenants named t000001 and so on, the same number for each, ids in the same order for all. */
export async function fillProjects(superuser: Client, tenants: number, rowsEach: number): Promise<void> {
  await superuser.query('alter table pool.projects disable trigger fence');
  await superuser.query(
    `insert into tenancy.placements (tenant_id, schema) select ${tenantName('t')}, 'pool' from generate_series(1, $1) t on conflict do nothing`,
    [tenants],
  );
  await superuser.query(
    `insert into pool.projects (tenant_id, id, name) select ${tenantName('t')}, ${projectId('n')}, 'project ' || n
     from generate_series(1, $1) t, generate_series(1, $2) n`,
    [tenants, rowsEach],
  );
  await superuser.query('alter table pool.projects enable always trigger fence');
  await superuser.query('vacuum analyze pool.projects, tenancy.placements');
}

const tenantName = (column: string): string => `'t' || lpad(${column}::text, 6, '0')`;
const projectId = (column: string): string => `('00000000-0000-7000-8000-' || lpad(${column}::text, 12, '0'))::uuid`;

export const tenantOf = (index: number): string => `t${String(index).padStart(6, '0')}`;
export const projectOf = (index: number): string => `00000000-0000-7000-8000-${String(index).padStart(12, '0')}`;

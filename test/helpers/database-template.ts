import { Client } from 'pg';
import type { Postgres } from '../../local/postgres.ts';
import { databaseRoles, mainDatabase, poolSchema } from '../../shared/contract/index.ts';
import { applyMigrations, createRoles, type Execute, readAllMigrations } from '../../shared/database/migrator.ts';
import { serverDatabases } from '../../shared/database/server-databases.ts';
import { provisionSchema, publishMigrations } from '../../shared/database/provision.ts';
import { signingKey } from './capability.ts';

/** Logins of the test databases: every role's password is its name. */
export const passwords = {
  owner: databaseRoles.owner,
  app: databaseRoles.app,
  authorizer: databaseRoles.authorizer,
  control: databaseRoles.control,
  operations: databaseRoles.operations,
};

/** Master user of the test cluster: may make roles and databases and end sessions, and is no superuser, as on RDS. */
export const master = 'tenantry_master';

/** Runs statements over a plain connection, in place of the Data API: parameters are `:name` there too. */
export function executeWith(client: Client): Execute {
  return async (sql, parameters = {}) => {
    const names = Object.keys(parameters);
    const text = names.reduce((result, name, index) => result.replaceAll(`:${name}`, `$${index + 1}`), sql);
    const { rows } = await client.query({ text, values: Object.values(parameters), rowMode: 'array' });
    return rows.map((row: unknown[]) => row[0]);
  };
}

/** Makes the database that test files clone: migrated exactly as a deployment is, with the signing key of the tests. */
export async function createTemplate(postgres: Postgres): Promise<string> {
  await using superuser = await connect(postgres.url());
  await superuser.client.query(
    `create role ${master} login createrole createdb password '${master}' in role pg_signal_backend`,
  );
  await superuser.client.query(`create database ${mainDatabase} owner ${master}`);
  // As on RDS.
  for (const name of serverDatabases) await superuser.client.query(`alter database ${name} owner to ${master}`);
  const url = new URL(postgres.url(mainDatabase));
  await using masterLogin = await connect(as(url, master, master));
  await createRoles(executeWith(masterLogin.client), mainDatabase, passwords);
  await using owner = await connect(as(url, databaseRoles.owner, passwords.owner));
  const execute = executeWith(owner.client);
  const migrations = await readAllMigrations('migrations');
  await applyMigrations(execute, 'kernel', migrations.kernel);
  await applyMigrations(execute, 'control', migrations.control);
  await publishMigrations(execute, migrations.tenant);
  await provisionSchema(execute, poolSchema);
  await owner.client.query('select tenancy.set_signing_keys($1)', [
    JSON.stringify([{ keyId: signingKey.keyId, secret: Buffer.from(signingKey.secret).toString() }]),
  ]);
  return mainDatabase;
}

function as(url: URL, user: string, password: string): string {
  const login = new URL(url);
  login.username = user;
  login.password = password;
  return login.href;
}

/** A connection that closes at the end of the block. */
async function connect(connectionString: string): Promise<{ client: Client } & AsyncDisposable> {
  const client = new Client({ connectionString });
  await client.connect();
  return { client, [Symbol.asyncDispose]: () => client.end() };
}

import { randomBytes } from 'node:crypto';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { Client } from 'pg';
import { dropSilo, makeSilo } from '../../functions/migrate/silo.ts';
import { type SiloSecrets, siloSecretsOf } from '../../functions/migrate/silo-secrets.ts';
import type { Cluster, System } from '../../functions/migrate/system.ts';
import { loginsOf, SecretStore } from '../../local/secrets-manager/secret-store.ts';
import { startSecretsManager } from '../../local/secrets-manager/server.ts';
import { databaseRoles, mainCluster, tenantHomeName } from '../../shared/contract/index.ts';
import { type Migrations, readAllMigrations } from '../../shared/database/migrator.ts';
import type { Placement } from '../../shared/tenancy/index.ts';
import { signingKey } from './capability.ts';
import { master, passwords } from './database-template.ts';
import type { TestDatabase } from './database.ts';
import { configFor, startTenantDatabase, type TestTenantDatabase } from './tenant-database.ts';

export interface LoggedLine extends Record<string, unknown> {
  readonly level: 'info' | 'warn';
  readonly message: string;
}

/** The migration runner with a shared database of a test file's own, and databases of tenants' own that it makes on the same server. */
export interface SiloRunner extends AsyncDisposable {
  readonly api: TestTenantDatabase;
  readonly system: System;
  readonly secrets: SecretStore;
  readonly secretsUrl: string;
  readonly logged: LoggedLine[];
  /** A tenant's id that nobody else on the server has. */
  newTenant(): string;
  /** Makes a database for a tenant, registers it and puts the tenant at home in it. @param registry @default that of `api` */
  addSilo(tenantId: string, registry?: TestDatabase): Promise<Placement>;
  /** The runner for another shared database, and with more migrations. */
  systemFor(database: TestDatabase, more?: Partial<Migrations>): System;
  /** A connection that is closed in the end. @param user a role that databases have in common, or that of a tenant's database */
  connect(user: string, database: string): Promise<Client>;
}

export async function startSiloRunner(): Promise<SiloRunner> {
  const secrets = SecretStore.open();
  const endpoint = await startSecretsManager({ secrets });
  const api = await startTenantDatabase([], {
    secret: storedOrNamed(secrets),
  });
  const clients: Client[] = [];
  const tenants: string[] = [];
  const logged: LoggedLine[] = [];
  const system = await systemOf(api.postgres.name, endpoint.url, {
    info: (message, details) => void logged.push({ level: 'info', message, ...details }),
    warn: (message, details) => void logged.push({ level: 'warn', message, ...details }),
  });
  const connect: SiloRunner['connect'] = async (user, database) => {
    const { port } = api.postgres;
    const client = new Client({ host: '127.0.0.1', port, user, password: passwordOf(secrets, user), database });
    client.on('error', () => undefined);
    clients.push(client);
    await client.connect();
    return client;
  };
  return {
    api,
    system,
    secrets,
    secretsUrl: endpoint.url,
    logged,
    newTenant: () => {
      const tenantId = `t-${randomBytes(6).toString('hex')}`;
      tenants.push(tenantId);
      return tenantId;
    },
    systemFor: (database, { kernel = [], tenant = [] } = {}) => ({
      ...system,
      clusters: [clusterOf(database.name)],
      migrations: {
        ...system.migrations,
        kernel: [...system.migrations.kernel, ...kernel],
        tenant: [...system.migrations.tenant, ...tenant],
      },
    }),
    addSilo: async (tenantId, registry = api.postgres) => {
      const secretArn = await makeSilo({ tenantId, cluster: mainCluster }, system);
      return settle(registry, tenantId, secretArn, await connect(databaseRoles.operations, tenantHomeName(tenantId)));
    },
    connect,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
      for (const tenantId of tenants) await dropSilo({ tenantId, cluster: mainCluster }, system);
      await endpoint.stop();
      await api[Symbol.asyncDispose]();
    },
  };
}

/** Logins of a store; those that are in none have their name for a password. */
export const storedOrNamed =
  (secrets: SecretStore) =>
  async (arn: string): Promise<{ username: string; password: string }> =>
    (await loginsOf(secrets)(arn)) ?? { username: roleOf(arn), password: roleOf(arn) };

/** The migration runner's world, with one shared database. */
export async function systemOf(database: string, secretsUrl: string, log: System['log']): Promise<System> {
  return {
    clusters: [clusterOf(database)],
    migrations: await readAllMigrations('migrations'),
    passwords,
    signingKeys: [signingKey],
    siloSecrets: siloSecretsAt(secretsUrl),
    log,
  };
}

export function siloSecretsAt(endpoint: string): SiloSecrets {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new SecretsManagerClient({ endpoint, region: 'eu-central-1', credentials, maxAttempts: 1 });
  return siloSecretsOf(client, 'test');
}

const roleOf = (arn: string): string => arn.split(':').at(-1) ?? '';

/** The password that the store has of a role, if it has one. */
function passwordOf(secrets: SecretStore, user: string): string {
  const logins = secrets.list().map(({ value }) => JSON.parse(value) as { username: string; password: string });
  return logins.find(({ username }) => username === user)?.password ?? user;
}

function clusterOf(database: string): Cluster {
  const { [mainCluster]: login } = configFor('owner', database).clusters;
  if (!login) throw new Error('The configuration has no cluster.');
  return {
    name: mainCluster,
    resourceArn: login.resourceArn,
    ownerSecretArn: login.secretArn,
    masterSecretArn: login.secretArn.replace(databaseRoles.owner, master),
    database,
    holdsRegistry: true,
  };
}

/** What operations do with a database that was made. */
async function settle(
  registry: TestDatabase,
  tenantId: string,
  secretArn: string,
  operations: Client,
): Promise<Placement> {
  const name = tenantHomeName(tenantId);
  await operations.query('select tenancy.make_home($1)', [tenantId]);
  await operations.query(`select tenancy.place($1, $2, 'active')`, [tenantId, name]);
  await registry.superuser.query(
    `insert into registry.tenants (tenant_id, name, plan, model, cluster, database, schema, secret_arn)
     values ($1, $1, 'enterprise', 'silo', $2, $3, $3, $4)`,
    [tenantId, mainCluster, name, secretArn],
  );
  return { model: 'silo', cluster: mainCluster, database: name, schema: name, secretArn };
}

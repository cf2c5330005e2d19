import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, escapeIdentifier, escapeLiteral } from 'pg';
import * as z from 'zod';
import { serverDatabases } from '../../shared/database/server-databases.ts';
import { type Postgres, startPostgres } from '../postgres.ts';
import { isCluster } from '../postgres-cluster.ts';
import type { SecretStore } from '../secrets-manager/secret-store.ts';
import { type Deployment, readAll, type ResourceShape } from '../template/deployment.ts';
import { generatePassword } from './secrets.ts';

const clusterShape = {
  type: 'AWS::RDS::DBCluster',
  schema: z.strictObject({
    Engine: z.literal('aurora-postgresql'),
    EngineVersion: z.string().startsWith('17.', 'the local Postgres is 17'),
    DatabaseName: z.string(),
    MasterUsername: z.string(),
    ManageMasterUserPassword: z.literal(true),
    EnableHttpEndpoint: z.literal(true, 'functions reach clusters through the Data API alone'),
  }),
  ignored: [
    'BackupRetentionPeriod',
    'CopyTagsToSnapshot',
    'DBClusterIdentifier',
    'DBClusterParameterGroupName',
    'DBSubnetGroupName',
    'DeletionProtection',
    'EnableCloudwatchLogsExports',
    'EnableIAMDatabaseAuthentication',
    'KmsKeyId',
    'MasterUserSecret',
    'Port',
    'PreferredMaintenanceWindow',
    'ServerlessV2ScalingConfiguration',
    'StorageEncrypted',
    'Tags',
    'VpcSecurityGroupIds',
  ],
} satisfies ResourceShape<z.ZodType>;

/** An Aurora cluster of the template, for which a local Postgres stands in. */
export interface ClusterDefinition {
  readonly name: string;
  readonly arn: string;
  readonly masterSecretArn: string;
  readonly masterUsername: string;
  readonly database: string;
}

export interface RunningCluster extends ClusterDefinition {
  readonly server: Postgres;
}

export function readClusters(deployment: Deployment): ClusterDefinition[] {
  return readAll(deployment, clusterShape).map(({ id, resource, properties }) => ({
    name: id,
    arn: deployment.resolver.attribute(resource, 'DBClusterArn'),
    masterSecretArn: deployment.resolver.attribute(resource, 'MasterUserSecret.SecretArn'),
    masterUsername: properties.MasterUsername,
    database: properties.DatabaseName,
  }));
}

/** One Postgres a cluster. Those that were there last time start at once, before the templates say that they are needed. */
export class ClusterServers {
  readonly #folder: string;
  readonly #superuserPassword: string;
  readonly #onCrash: (how: string) => void;
  readonly #servers = new Map<string, Promise<Postgres>>();

  /** @param onCrash called if a server ends without being stopped */
  constructor(folder: string, superuserPassword: string, onCrash: (how: string) => void) {
    this.#folder = folder;
    this.#superuserPassword = superuserPassword;
    this.#onCrash = onCrash;
  }

  async startKnown(): Promise<void> {
    // Passable, like the data folder above it.
    await mkdir(this.#folder, { recursive: true, mode: 0o711 });
    for (const name of await readdir(this.#folder)) {
      if (!name.startsWith('.') && (await isCluster(join(this.#folder, name))))
        this.#start(name).catch(() => undefined);
    }
  }

  /** The server of a cluster, with its database, and its master user as on RDS: may make roles and databases, and is no superuser. */
  async of(cluster: ClusterDefinition, secrets: SecretStore): Promise<Postgres> {
    if (!secrets.get(cluster.masterSecretArn)) {
      const login = { username: cluster.masterUsername, password: generatePassword({ ExcludePunctuation: true }) };
      await secrets.put(cluster.masterSecretArn, JSON.stringify(login));
    }
    const server = await this.#start(cluster.name);
    await createMaster(server, cluster, secrets.get(cluster.masterSecretArn)?.value ?? '{}');
    return server;
  }

  async stop(): Promise<void> {
    const stops = [...this.#servers.values()].map(async (server) => (await server.catch(() => undefined))?.stop());
    await Promise.all(stops);
  }

  #start(name: string): Promise<Postgres> {
    const known = this.#servers.get(name);
    if (known) return known;
    const server = startPostgres({
      dataDir: join(this.#folder, name),
      superuserPassword: this.#superuserPassword,
      // Survives a killed process, which is all that a developer's machine needs.
      settings: { synchronous_commit: 'off' },
    });
    this.#servers.set(name, server);
    server.then(({ crashed }) => crashed).then(this.#onCrash, () => undefined);
    return server;
  }
}

async function createMaster(server: Postgres, cluster: ClusterDefinition, login: string): Promise<void> {
  const { password } = z.object({ password: z.string() }).parse(JSON.parse(login));
  const client = new Client({ connectionString: server.url() });
  await client.connect();
  try {
    const { rowCount: roles } = await client.query('select from pg_roles where rolname = $1', [cluster.masterUsername]);
    const role = escapeIdentifier(cluster.masterUsername);
    const verb = roles ? 'alter' : 'create';
    await client.query(`${verb} role ${role} login createrole createdb password ${escapeLiteral(password)}`);
    // As RDS's master user may, who ends sessions in a database that he drops.
    await client.query(`grant pg_signal_backend to ${role}`);
    const { rowCount: databases } = await client.query('select from pg_database where datname = $1', [
      cluster.database,
    ]);
    if (!databases) await client.query(`create database ${escapeIdentifier(cluster.database)} owner ${role}`);
    // His on RDS, too.
    for (const name of serverDatabases) await client.query(`alter database ${name} owner to ${role}`);
  } finally {
    await client.end();
  }
}

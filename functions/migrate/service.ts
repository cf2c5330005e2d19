import { type DatabaseRole, poolSchema } from '../../shared/contract/index.ts';
import { migrationConnection } from '../../shared/database/migration-connection.ts';
import { applyMigrations, createRoles, type Migration, type Migrations } from '../../shared/database/migrator.ts';
import type { SigningKey } from '../../shared/tenancy/index.ts';

export interface Cluster {
  readonly name: string;
  readonly resourceArn: string;
  readonly masterSecretArn: string;
  readonly ownerSecretArn: string;
  readonly database: string;
  /** The registry lives in one database of one cluster. */
  readonly holdsRegistry: boolean;
}

export interface Inputs {
  readonly migrations: Migrations;
  readonly passwords: Readonly<Record<DatabaseRole, string>>;
  readonly signingKeys: readonly SigningKey[];
}

export type Report = (message: string, details: Record<string, unknown>) => void;

/** Brings one cluster up to date; nothing changes where nothing is to be done. */
export async function migrateCluster(cluster: Cluster, inputs: Inputs, report: Report): Promise<void> {
  const { resourceArn, database } = cluster;
  const master = migrationConnection({ resourceArn, secretArn: cluster.masterSecretArn, database });
  await createRoles(master, database, inputs.passwords);
  const owner = migrationConnection({ resourceArn, secretArn: cluster.ownerSecretArn, database });
  const apply = async (target: string, migrations: readonly Migration[]): Promise<void> => {
    const applied = await applyMigrations(owner, target, migrations);
    report('migrated', { cluster: cluster.name, database, target, applied });
  };
  await apply('kernel', inputs.migrations.kernel);
  const keys = inputs.signingKeys.map(({ keyId, secret }) => ({ keyId, secret: Buffer.from(secret).toString('utf8') }));
  await owner('select tenancy.set_signing_keys(cast(:keys as jsonb))', { keys: JSON.stringify(keys) });
  if (cluster.holdsRegistry) await apply('control', inputs.migrations.control);
  await apply(poolSchema, inputs.migrations.tenant);
}

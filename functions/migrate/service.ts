import { type DatabaseRole, poolSchema } from '../../shared/contract/index.ts';
import { audit } from '../../shared/database/audit.ts';
import { migrationConnection } from '../../shared/database/migration-connection.ts';
import {
  applyMigrations,
  createRoles,
  type Execute,
  type Migration,
  type Migrations,
} from '../../shared/database/migrator.ts';
import type { SigningKey } from '../../shared/tenancy/index.ts';
import { AuditError } from './audit-error.ts';

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

/** Where the runner says what it did. */
export interface Log {
  info(message: string, details: Record<string, unknown>): void;
  warn(message: string, details: Record<string, unknown>): void;
}

/**
 * Brings one cluster up to date; nothing changes where nothing is to be done. Ends with the audit.
 *
 * @throws AuditError when the database has a way around row-level security; what was migrated stays
 */
export async function migrateCluster(cluster: Cluster, inputs: Inputs, log: Log): Promise<void> {
  const { resourceArn, database } = cluster;
  const master = migrationConnection({ resourceArn, secretArn: cluster.masterSecretArn, database });
  await createRoles(master, database, inputs.passwords);
  const owner = migrationConnection({ resourceArn, secretArn: cluster.ownerSecretArn, database });
  const apply = async (target: string, migrations: readonly Migration[]): Promise<void> => {
    const applied = await applyMigrations(owner, target, migrations);
    log.info('migrated', { cluster: cluster.name, database, target, applied });
  };
  await apply('kernel', inputs.migrations.kernel);
  const keys = inputs.signingKeys.map(({ keyId, secret }) => ({ keyId, secret: Buffer.from(secret).toString('utf8') }));
  await owner('select tenancy.set_signing_keys(cast(:keys as jsonb))', { keys: JSON.stringify(keys) });
  if (cluster.holdsRegistry) await apply('control', inputs.migrations.control);
  await apply(poolSchema, inputs.migrations.tenant);
  await owner('select tenancy.set_cluster(:name)', { name: cluster.name });
  await auditDatabase(owner, cluster, log);
}

async function auditDatabase(owner: Execute, { name, database }: Cluster, log: Log): Promise<void> {
  const findings = await audit(owner);
  const errors = findings.filter(({ severity }) => severity === 'error');
  for (const warning of findings.filter(({ severity }) => severity === 'warning')) {
    log.warn('audit warning', { cluster: name, database, ...warning });
  }
  if (errors.length > 0) throw new AuditError(`${database} on the cluster ${name}`, errors);
  log.info('audited', { cluster: name, database, warnings: findings.length });
}

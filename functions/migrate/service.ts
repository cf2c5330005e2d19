import { type DatabaseRole, poolSchema } from '../../shared/contract/index.ts';
import { audit } from '../../shared/database/audit.ts';
import { FleetError } from '../../shared/database/fleet-error.ts';
import { migrateFleet } from '../../shared/database/fleet.ts';
import type { FleetReport } from '../../shared/database/fleet.ts';
import { migrationConnection } from '../../shared/database/migration-connection.ts';
import {
  applyMigrations,
  createRoles,
  type Execute,
  type Migration,
  type Migrations,
} from '../../shared/database/migrator.ts';
import { provisionSchema, publishMigrations } from '../../shared/database/provision.ts';
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
  /** `Date.now()` from which on no placement is begun. @default never */
  readonly until?: number;
}

/** Where the runner says what it did. */
export interface Log {
  info(message: string, details: Record<string, unknown>): void;
  warn(message: string, details: Record<string, unknown>): void;
}

/**
 * Brings one cluster up to date, pool first and then the placements of tenants of their own; nothing changes where nothing is to be done.
 * Ends with the audit. The fleet runs in here as long as there is time; what is left is for the next deployment, or for
 * `npm run tenant -- migrate`. It will be an operation of its own.
 *
 * @throws FleetError when a placement could not be migrated, or time was up; what was migrated stays
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
  const fleet = await migratePlacements(owner, cluster, inputs, log);
  await owner('select tenancy.set_cluster(:name)', { name: cluster.name });
  await auditDatabase(owner, cluster, log);
  if (fleet.failed > 0 || fleet.stopped) throw new FleetError(fleet);
}

/** The pool, in which most tenants live, and then the others. */
async function migratePlacements(owner: Execute, cluster: Cluster, inputs: Inputs, log: Log): Promise<FleetReport> {
  const databases = [{ name: `${cluster.database} on the cluster ${cluster.name}`, execute: owner }];
  const { tenant } = inputs.migrations;
  const until = inputs.until === undefined ? {} : { until: inputs.until };
  await publishMigrations(owner, tenant);
  const provisioned = await provisionSchema(owner, poolSchema);
  const pool = await migrateFleet(databases, tenant, { ...until, only: [poolSchema] });
  if (pool.failed > 0 || pool.stopped) throw new FleetError(pool);
  const fleet = await migrateFleet(databases, tenant, until);
  const { name, database } = cluster;
  // Also where the audit finds something, which is what the deployment then fails with.
  if (fleet.failed > 0) log.warn('placements failed', { cluster: name, database, failures: fleet.failures });
  log.info('migrated', {
    cluster: name,
    database,
    target: poolSchema,
    provisioned,
    placements: pool.done + fleet.done,
  });
  return fleet;
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

import { databaseRoles } from '../../shared/contract/index.ts';
import { audit } from '../../shared/database/audit.ts';
import { applyMigrations, forRole } from '../../shared/database/migrator.ts';
import { AuditError } from './audit-error.ts';
import { asOwner, type Cluster, nameOf, type System } from './system.ts';

/** @default the database that tenants share, with the role that they share */
interface DatabaseAndRole {
  readonly database?: string;
  /** What application code logs in as. */
  readonly role?: string;
}

/** Brings a target of a database up to date, in one transaction. */
export async function applyTo(
  target: 'kernel' | 'control',
  cluster: Cluster,
  { migrations, log }: System,
  { database = cluster.database, role = databaseRoles.app }: DatabaseAndRole = {},
): Promise<void> {
  const files = forRole(migrations[target], role);
  const applied = await applyMigrations(asOwner(cluster, database), target, files);
  log.info('migrated', { cluster: cluster.name, database, target, applied });
}

/** Brings the kernel of a database up to date, and tells it the signing keys and on which cluster it is. */
export async function migrateKernel(cluster: Cluster, system: System, where: DatabaseAndRole = {}): Promise<void> {
  await applyTo('kernel', cluster, system, where);
  const owner = asOwner(cluster, where.database);
  const keys = system.signingKeys.map(({ keyId, secret }) => ({ keyId, secret: Buffer.from(secret).toString('utf8') }));
  await owner('select tenancy.set_signing_keys(cast(:keys as jsonb))', { keys: JSON.stringify(keys) });
  await owner('select tenancy.set_cluster(:name)', { name: cluster.name });
}

/** @throws AuditError when the database has a way around row-level security */
export async function auditDatabase(cluster: Cluster, database: string, { log }: System): Promise<void> {
  const owner = asOwner(cluster, database);
  const findings = await audit(owner);
  const errors = findings.filter(({ severity }) => severity === 'error');
  for (const warning of findings.filter(({ severity }) => severity === 'warning')) {
    log.warn('audit warning', { cluster: cluster.name, database, ...warning });
  }
  if (errors.length > 0) throw new AuditError(nameOf(cluster, database), errors);
  log.info('audited', { cluster: cluster.name, database, warnings: findings.length });
}

import { databaseRoles } from '../../shared/contract/index.ts';
import { audit, type Finding } from '../../shared/database/audit.ts';
import {
  compareHomes,
  type DatabaseFindings,
  findHomeless,
  findLeftHomes,
} from '../../shared/database/compare-homes.ts';
import { applyMigrations, forRole } from '../../shared/database/migrator.ts';
import { AuditError } from './audit-error.ts';
import { asOwner, type Cluster, registryOf, type System } from './system.ts';

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

/** @throws AuditError when the database has a way around row-level security, or tenants whom the registry has elsewhere, or not those whom it has there */
export async function auditDatabase(cluster: Cluster, database: string, system: System): Promise<void> {
  throwFound([{ cluster: cluster.name, database, findings: await findErrors(cluster, database, system) }]);
}

/** The databases that tenants share. @throws AuditError with what was found in all of them */
export async function auditShared(system: System): Promise<void> {
  const found: DatabaseFindings[] = [];
  for (const cluster of system.clusters) {
    const { name, database } = cluster;
    found.push({ cluster: name, database, findings: await findErrors(cluster, database, system) });
  }
  throwFound(found);
}

function throwFound(databases: readonly DatabaseFindings[]): void {
  const found = databases.filter(({ findings }) => findings.length > 0);
  if (found.length === 0) return;
  const names = found.map(({ cluster, database }) => `${database} on the cluster ${cluster}`);
  throw new AuditError(
    names.join(', '),
    found.flatMap(({ findings }) => findings),
  );
}

async function findErrors(cluster: Cluster, database: string, system: System): Promise<readonly Finding[]> {
  const { log } = system;
  const owner = asOwner(cluster, database);
  const findings = [...(await audit(owner)), ...(await distantFindings(cluster, database, system))];
  const errors = findings.filter(({ severity }) => severity === 'error');
  for (const warning of findings.filter(({ severity }) => severity === 'warning')) {
    log.warn('audit warning', { cluster: cluster.name, database, ...warning });
  }
  if (errors.length === 0) log.info('audited', { cluster: cluster.name, database, warnings: findings.length });
  return errors;
}

/** Where the registry is, the audit itself compares it with who is at home. */
function distantFindings(cluster: Cluster, database: string, system: System): Promise<readonly Finding[]> {
  if (cluster.holdsRegistry && cluster.database === database) return Promise.resolve([]);
  return compareHomes(registryOf(system), { cluster: cluster.name, database, execute: asOwner(cluster, database) });
}

/**
 * Looks for what no audit of a database can see: tenants who are at home in a database that was theirs alone before, or nowhere.
 *
 * @throws AuditError when there is one of the first
 */
export async function auditWhereabouts(system: System): Promise<void> {
  const { clusters, log } = system;
  const registry = registryOf(system);
  const open = clusters.map((cluster) => ({
    cluster: cluster.name,
    open: (database?: string) => asOwner(cluster, database),
  }));
  throwFound(await findLeftHomes(registry, open));
  const shared = clusters.map(({ name, database }) => ({ cluster: name, database }));
  // No deployment can mend that, and those whose own database is missing are reported where it is migrated.
  for (const finding of await findHomeless(registry, shared, ['pool', 'bridge'])) log.warn('audit warning', finding);
}

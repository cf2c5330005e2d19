import { poolSchema } from '../../shared/contract/index.ts';
import { FleetError } from '../../shared/database/fleet-error.ts';
import { migrateFleet } from '../../shared/database/fleet.ts';
import { createRoles } from '../../shared/database/migrator.ts';
import { provisionSchema, publishMigrations } from '../../shared/database/provision.ts';
import { closeDatabases, serverDatabases } from '../../shared/database/server-databases.ts';
import { countSilos, readSilos } from '../../shared/database/silo-databases.ts';
import { applyTo, auditDatabase, auditWhereabouts, migrateKernel } from './kernel.ts';
import { beginning, isFailed, plus, type Progress, reportOf } from './progress.ts';
import { migrateSilo } from './silo.ts';
import { asMaster, asOwner, type Cluster, nameOf, registryOf, type System } from './system.ts';

/** Databases of tenants' own at once. */
const silosAtOnce = 4;

/**
 * Brings everything up to date, as far as there is time: the databases that tenants share with their pools first, then all other
 * placements of these, then the databases that are a tenant's alone. Nothing changes where nothing is to be done.
 *
 * @param until `Date.now()` from which on no placement is begun
 * @returns how far it came; `goOn` does the rest
 * @throws FleetError when a placement could not be migrated, or time was up before the pools were; what was migrated stays
 * @throws AuditError when a database has a way around row-level security; what was migrated stays
 */
export async function deploy(system: System, until = Number.POSITIVE_INFINITY): Promise<Progress> {
  for (const cluster of system.clusters) await migrateShared(cluster, system, until);
  const progress = await goOn(system, beginning, until);
  if (progress.phase !== 'done' && isFailed(progress)) throw new FleetError(reportOf(progress, 'time'));
  return progress;
}

/**
 * Goes on with the placements that are not the pool, where an earlier call had to stop.
 *
 * @throws FleetError when all that is left to do has failed, or more has failed than a run puts up with
 * @throws AuditError as `deploy` does
 */
export async function goOn(system: System, begun: Progress, until: number): Promise<Progress> {
  const shared = begun.phase === 'shared' ? await migratePlacements(system, begun, until) : begun;
  const progress = shared.phase === 'silos' ? await migrateSilos(system, shared, until) : shared;
  if (progress.phase === 'done' && isFailed(progress)) throw new FleetError(reportOf(progress, undefined));
  return progress;
}

/** The database of a cluster that tenants share, and the pool in it, where most of them live. */
async function migrateShared(cluster: Cluster, system: System, until: number): Promise<void> {
  const { name, database } = cluster;
  const { tenant } = system.migrations;
  const master = asMaster(cluster);
  await createRoles(master, database, system.passwords);
  const open = await closeDatabases(master, serverDatabases);
  if (open.length > 0) system.log.warn('databases are open to every login', { cluster: name, databases: open });
  await migrateKernel(cluster, system);
  if (cluster.holdsRegistry) await applyTo('control', cluster, system);
  const owner = asOwner(cluster);
  await publishMigrations(owner, tenant);
  const provisioned = await provisionSchema(owner, poolSchema);
  const only = [poolSchema];
  const pool = await migrateFleet([{ name: nameOf(cluster, database), execute: owner }], tenant, { until, only });
  if (pool.failed > 0 || pool.stopped) throw new FleetError(pool);
  system.log.info('migrated', { cluster: name, database, target: poolSchema, provisioned, placements: pool.done });
}

/** The other placements of the databases that tenants share, and the audit of these. */
async function migratePlacements(system: System, begun: Progress, until: number): Promise<Progress> {
  const databases = system.clusters.map((cluster) => ({
    name: nameOf(cluster, cluster.database),
    execute: asOwner(cluster),
  }));
  // Those that went first need not do so again.
  const canaries = begun.done > 0 ? { canaries: 0 } : {};
  const report = await migrateFleet(databases, system.migrations.tenant, { until, ...canaries });
  const { done, failures, stopped } = report;
  // Also where the audit finds something, which is what the deployment then fails with.
  if (failures.length > 0) system.log.warn('placements failed', { failures });
  system.log.info('migrated', { target: 'placements', placements: done, ...(stopped && { stopped }) });
  // What has failed is tried again each time.
  const progress = plus({ ...begun, failed: 0, missing: 0, failures: [] }, report);
  if (stopped === 'time') return progress;
  for (const cluster of system.clusters) await auditDatabase(cluster, cluster.database, system);
  if (stopped) throw new FleetError(report);
  const silos = await countSilos(registryOf(system));
  return { ...progress, phase: 'silos', mostFailures: progress.failed + Math.max(10, Math.floor(silos / 20)) };
}

/** Databases of tenants' own, a few at once, each with its audit. */
async function migrateSilos(system: System, begun: Progress, until: number): Promise<Progress> {
  let progress = begun;
  for (;;) {
    const silos = await readSilos(registryOf(system), progress.after, silosAtOnce);
    const after = silos.at(-1)?.tenantId;
    if (after === undefined) {
      await auditWhereabouts(system);
      return { ...progress, phase: 'done' };
    }
    if (Date.now() >= until) return progress;
    const outcomes = await Promise.all(silos.map((silo) => migrateSilo(silo, system, until)));
    // Those that are through with it have nothing to do the next time.
    if (outcomes.some(({ isLeft }) => isLeft)) return progress;
    const failures = outcomes.flatMap((outcome) => outcome.failures);
    if (failures.length > 0) system.log.warn('placements failed', { failures });
    const missing = progress.missing + outcomes.filter(({ isMissing }) => isMissing).length;
    progress = { ...plus(progress, { done: outcomes.filter(({ done }) => done).length, failures }), missing, after };
    if (progress.failed > progress.mostFailures) throw new FleetError(reportOf(progress, 'budget'));
  }
}

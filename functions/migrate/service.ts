import { poolSchema } from '../../shared/contract/index.ts';
import { FleetError } from '../../shared/database/fleet-error.ts';
import { isOvertaken } from '../../shared/database/fleet-runs.ts';
import { migrateFleet } from '../../shared/database/fleet.ts';
import { createRoles } from '../../shared/database/migrator.ts';
import { provisionSchema, publishMigrations } from '../../shared/database/provision.ts';
import { closeDatabases, serverDatabases } from '../../shared/database/server-databases.ts';
import { beginRun, type Progress } from '../../shared/fleet/index.ts';
import { type ClusterFailure, ClustersError } from './clusters-error.ts';
import { applyTo, auditShared, auditWhereabouts, migrateKernel } from './kernel.ts';
import { inAll, isFailed, reportOf } from './progress.ts';
import { isOutcome, orRecordEnd, record, recorded, type Tell } from './record.ts';
import { countDatabases, migrateSilos, type Time } from './silos.ts';
import { asMaster, asOwner, type Cluster, nameOf, registryOf, type System } from './system.ts';

const longestSiloMs = 60_000;

/**
 * Brings everything up to date, as far as there is time: the databases that tenants share with their pools first, then all other
 * placements of these, then the databases that are a tenant's alone. Nothing changes where nothing is to be done.
 *
 * @param until `Date.now()` from which on no placement is begun
 * @param handOver has somebody go on with the rest. @default whoever has called does
 * @returns how far it came; `goOn` does the rest
 * @throws ClustersError when databases that tenants share could not be brought up to date; those of other clusters are
 * @throws FleetError when a placement could not be migrated; what was migrated stays
 * @throws AuditError when a database has a way around row-level security; what was migrated stays
 */
export async function deploy(
  system: System,
  until = Number.POSITIVE_INFINITY,
  handOver?: (progress: Progress) => Promise<void>,
): Promise<Progress> {
  const begun = beginRun();
  const progress = await recorded(
    system,
    begun,
    () => true,
    async (first, tell) => {
      await migrateEachShared(system, until, begun);
      const reached = await work(system, first, { until, siloMs: longestSiloMs }, tell);
      // Whoever goes on with these audits them at the end, which may be hours after the functions of this deployment.
      if (reached.phase === 'shared') await auditShared(system);
      if (reached.phase !== 'done' && isFailed(reached)) throw new FleetError(reportOf(reached, 'time'));
      return reached;
    },
  );
  if (progress.phase !== 'done' && handOver) await orRecordEnd(system, progress, () => handOver(progress));
  return progress;
}

/**
 * Goes on where an earlier call had to stop, and writes down in the registry how far it has come.
 *
 * @param siloMs how long a database of a tenant's own is worked on at a time
 * @throws FleetError when all that is left to do has failed, or more has failed than a run puts up with
 * @throws AuditError as `deploy` does
 */
export async function goOn(system: System, begun: Progress, until: number, siloMs = longestSiloMs): Promise<Progress> {
  // One that an operator has begun. Whoever begins later sees that it is at work.
  if (begun.slice === 0) await record(system, begun);
  return recorded(system, begun, isOutcome, (progress, tell) => work(system, progress, { until, siloMs }, tell));
}

/**
 * Placements of databases that tenants share have half of the time at most as long as there are databases of tenants' own to be migrated:
 * one that takes for ever keeps none of these waiting. A run that is overtaken publishes nothing any more: it would withdraw the later one's files.
 */
async function work(system: System, begun: Progress, time: Time, tell: Tell): Promise<Progress> {
  const { until } = time;
  let progress = await countDatabases(system, begun);
  do {
    if (await isOvertaken(registryOf(system), begun.run)) return { ...progress, phase: 'done', isOvertaken: true };
    const now = Date.now();
    const half = progress.pass === 'done' ? until : now + (until - now) / 2;
    if (progress.phase === 'shared') progress = await migratePlacements(system, progress, half, tell);
    if (progress.pass !== 'done') progress = await migrateSilos(system, progress, time, tell);
    if (progress.phase === 'silos' && progress.pass === 'done') {
      await auditWhereabouts(system);
      progress = { ...progress, phase: 'done' };
    }
  } while (progress.phase !== 'done' && Date.now() < until);
  if (progress.phase === 'done' && isFailed(progress)) throw new FleetError(reportOf(progress, undefined));
  return progress;
}

/** One that fails is no reason to leave those of other clusters behind, which nothing connects with it. The registry comes first. */
async function migrateEachShared(system: System, until: number, begun: Progress): Promise<void> {
  const failures: ClusterFailure[] = [];
  for (const cluster of system.clusters.toSorted((a, b) => Number(b.holdsRegistry) - Number(a.holdsRegistry))) {
    try {
      await migrateShared(cluster, system, until, begun);
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      system.log.warn('a cluster failed', { cluster: cluster.name, error: error.message });
      failures.push({ cluster: cluster.name, error });
    }
  }
  if (failures.length > 0) throw new ClustersError(failures, system.clusters.length);
}

/** The database of a cluster that tenants share, and the pool in it, where most of them live. */
async function migrateShared(cluster: Cluster, system: System, until: number, begun: Progress): Promise<void> {
  const { name, database } = cluster;
  const { tenant } = system.migrations;
  const master = asMaster(cluster);
  await createRoles(master, database, system.passwords);
  const open = await closeDatabases(master, serverDatabases);
  if (open.length > 0) system.log.warn('databases are open to every login', { cluster: name, databases: open });
  await migrateKernel(cluster, system);
  if (cluster.holdsRegistry) {
    await applyTo('control', cluster, system);
    // Before anything is published: an earlier run that is still at work stops now. One that is killed is seen, too.
    await record(system, begun);
  }
  const owner = asOwner(cluster);
  await publishMigrations(owner, tenant);
  const provisioned = await provisionSchema(owner, poolSchema);
  const only = [poolSchema];
  const pool = await migrateFleet([{ name: nameOf(cluster, database), execute: owner }], tenant, { until, only });
  const isLeft = pool.stopped === 'time' && pool.failed === 0;
  if (isLeft) system.log.warn('the pool takes longer than the deployment', { cluster: name, database });
  else if (pool.failed > 0 || pool.stopped) throw new FleetError(pool);
  system.log.info('migrated', { cluster: name, database, target: poolSchema, provisioned, placements: pool.done });
}

/** All placements of the databases that tenants share, and the audit of these. */
async function migratePlacements(system: System, begun: Progress, until: number, tell: Tell): Promise<Progress> {
  const databases = system.clusters.map((cluster) => ({
    name: nameOf(cluster, cluster.database),
    execute: asOwner(cluster),
    // One that cannot be reached is a failure, and no reason to leave the others behind.
    isThere: () => Promise.resolve(true),
  }));
  const { shared } = begun;
  const most = (placements: number): number => Math.max(begun.lacking, placements);
  const report = await migrateFleet(databases, system.migrations.tenant, {
    until,
    run: begun.run,
    onProgress: ({ placements, done, failed }) =>
      tell({ ...begun, lacking: most(placements), shared: { ...shared, done: Math.max(shared.done, done), failed } }),
  });
  const { done, failures, stopped } = report;
  // Also where the audit finds something, which is what the deployment then fails with.
  if (failures.length > 0) system.log.warn('placements failed', { failures });
  system.log.info('migrated', { target: 'placements', placements: done, ...(stopped && { stopped }) });
  const progress: Progress = { ...begun, lacking: most(report.placements), shared: inAll(shared, report) };
  tell(progress);
  if (stopped === 'time') return progress;
  await auditShared(system);
  if (stopped === 'published' && (await isOvertaken(registryOf(system), begun.run))) return progress;
  if (stopped) throw new FleetError(report);
  return { ...progress, phase: 'silos' };
}

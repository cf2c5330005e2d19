import { databaseRoles, tenantHomeName } from '../../shared/contract/index.ts';
import { isLost, sqlstateOf, withTries } from '../../shared/database/fleet-call.ts';
import type { FleetFailure } from '../../shared/database/fleet-run.ts';
import { migrateFleet } from '../../shared/database/fleet.ts';
import { createRole, type Execute, forRole, openDatabase } from '../../shared/database/migrator.ts';
import { publishMigrations } from '../../shared/database/provision.ts';
import {
  databaseExists,
  readState,
  replaceLogin,
  requireTurn as requireTurnInRegistry,
  type Silo,
} from '../../shared/database/silo-databases.ts';
import { auditDatabase, migrateKernel } from './kernel.ts';
import type { WantedSilo } from './silo-secrets.ts';
import { asMaster, asOwner, type Cluster, clusterNamed, nameOf, registryOf, type System } from './system.ts';

/**
 * Makes a database that is one tenant's alone, with a role and a login of its own, or finishes making it. The tenant's schema is for
 * whoever asked: `tenancy.make_home`.
 *
 * @returns the ARN of the login
 */
export async function makeSilo(silo: WantedSilo, system: System): Promise<string> {
  await requireTurn(silo, system);
  const cluster = clusterNamed(system, silo.cluster);
  const { secretArn, password } = await system.siloSecrets.ensure(silo);
  await createDatabase(asMaster(cluster), tenantHomeName(silo.tenantId));
  await prepare(cluster, silo.tenantId, password, system);
  return secretArn;
}

/** Drops a tenant's database, its role and its login, whatever there is of them. */
export async function dropSilo(silo: WantedSilo, system: System): Promise<void> {
  await requireTurn(silo, system);
  const name = tenantHomeName(silo.tenantId);
  const cluster = system.clusters.find((each) => each.name === silo.cluster);
  if (cluster) await dropDatabase(cluster, name);
  // The stage has given the cluster up, with all that was on it.
  else system.log.warn('not dropped, as there is no such cluster', { cluster: silo.cluster, database: name });
  await system.siloSecrets.remove(silo);
  system.log.info('dropped', { cluster: silo.cluster, database: name });
}

/** What an operation asks for that another execution of it has ended may be a database of a tenant that came since. */
async function requireTurn({ turn }: WantedSilo, system: System): Promise<void> {
  if (turn) await requireTurnInRegistry(registryOf(system), turn);
}

async function dropDatabase(cluster: Cluster, name: string): Promise<void> {
  const master = asMaster(cluster);
  // No statement of the two can be in a transaction with another one. The role had rights in its database alone, which went with that.
  await master(`drop database if exists "${name}" with (force)`);
  await master(`drop role if exists ${name}`);
}

async function createDatabase(master: Execute, name: string): Promise<void> {
  if (await databaseExists(master, name)) return;
  try {
    await master(`create database "${name}"`);
  } catch (error) {
    // Somebody was faster.
    if (!(await databaseExists(master, name))) throw error;
  }
}

/** The database itself is called as the role is: nobody else's name is ever like it. */
async function prepare(cluster: Cluster, tenantId: string, password: string, system: System): Promise<void> {
  const name = tenantHomeName(tenantId);
  await createRole(asMaster(cluster), name, password);
  await openDatabase(asMaster(cluster, name), name, [name, databaseRoles.owner, databaseRoles.operations]);
  await migrateKernel(cluster, system, { database: name, role: name });
  await publishMigrations(asOwner(cluster, name), forRole(system.migrations.tenant, name));
}

/** What became of a database of a tenant's own. */
export interface SiloOutcome {
  /** Whether it lacked something that it has now. */
  readonly done: boolean;
  readonly failures: readonly FleetFailure[];
  /** Time was up before it had all, and nothing has failed. */
  readonly isLeft: boolean;
  /** Its database is not there, which is its only failure. */
  readonly isMissing: boolean;
}

const nothing: SiloOutcome = { done: false, failures: [], isLeft: false, isMissing: false };

/** As part of what a database is migrated. */
interface SiloRun {
  /** What its ledger calls the run. */
  readonly run: string;
  /** `Date.now()` from which on nothing more is begun. */
  readonly until: number;
}

/** Brings a database of a tenant's own up to date. Never throws: what is wrong with one is no reason to leave the others behind. */
export async function migrateSilo(silo: Silo, system: System, run: SiloRun): Promise<SiloOutcome> {
  try {
    // All of it may be done twice. What takes longer than a call goes on, and is for when the others are done.
    const outcome = await withTries(
      () => bringUpToDate(silo, system, run),
      (error) => !isLost(error),
    );
    return outcome ?? { ...nothing, isLeft: true };
  } catch (thrown) {
    if (await isDropped(silo, system)) return nothing;
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    return { ...nothing, failures: [failureOf(silo, error)] };
  }
}

/**
 * Whether the database was dropped meanwhile, since its tenant leaves. Then role and login go that may have been made for it after that,
 * unless somebody of the same id has come since, whose they are.
 */
async function isDropped(silo: Silo, system: System): Promise<boolean> {
  const { cluster, database, tenantId } = silo;
  try {
    const master = asMaster(clusterNamed(system, cluster));
    if (await databaseExists(master, database)) return false;
    const registry = registryOf(system);
    const state = await readState(registry, tenantId);
    if (state === 'onboarding') return true;
    // Nobody has dropped it who asked the registry first.
    if (state === 'active' || state === 'suspended') return false;
    await master(`drop role if exists ${database}`);
    // Somebody may have come while that waited for whoever used the role.
    const later = await readState(registry, tenantId);
    if (later === undefined || later === 'offboarding') await system.siloSecrets.remove(silo);
    return true;
  } catch {
    // What was wrong first is what is told.
    return false;
  }
}

const failureOf = ({ database, cluster }: Silo, error: Error): FleetFailure => ({
  database: `${database} on the cluster ${cluster}`,
  placement: database,
  version: 'database',
  sqlstate: sqlstateOf(error) ?? error.name,
  error: error.message,
});

/** The tenant leaves, or has not come in the end, unless it is to be served. */
function withoutDatabase(silo: Silo): SiloOutcome {
  const { tenantId, database, state } = silo;
  if (state !== 'active' && state !== 'suspended') return nothing;
  const remedy = `Restore it, or offboard its tenant: tenant delete ${tenantId} --no-export.`;
  const error = new Error(`There is no database ${database}. ${remedy}`);
  return { ...nothing, failures: [failureOf(silo, error)], isMissing: true };
}

/** Makes the login anew that somebody has deleted. Requests that still name that one ask the registry, and find this one. */
async function makeLogin(silo: Silo, cluster: Cluster, system: System): Promise<void> {
  const { tenantId, database, secretArn: deleted } = silo;
  const { secretArn, password } = await system.siloSecrets.ensure(silo);
  await prepare(cluster, tenantId, password, system);
  await replaceLogin(registryOf(system), tenantId, { deleted, secretArn });
  system.log.warn('a login was not there, and was made anew', { cluster: cluster.name, database, deleted, secretArn });
}

async function bringUpToDate(silo: Silo, system: System, { run, until }: SiloRun): Promise<SiloOutcome> {
  const { tenantId, cluster: clusterName, database, secretArn } = silo;
  const cluster = clusterNamed(system, clusterName);
  if (!(await databaseExists(asMaster(cluster), database))) return withoutDatabase(silo);
  const password = await system.siloSecrets.read(tenantId, secretArn);
  if (password === undefined) await makeLogin(silo, cluster, system);
  else await prepare(cluster, tenantId, password, system);
  const fleet = [{ name: nameOf(cluster, database), execute: asOwner(cluster, database), role: database }];
  const { done, failures, stopped } = await migrateFleet(fleet, system.migrations.tenant, { run, until, canaries: 0 });
  const isLeft = stopped === 'time' && failures.length === 0;
  if (!isLeft && failures.length === 0) await auditDatabase(cluster, database, system);
  return { done: done > 0, failures, isLeft, isMissing: false };
}

import type { FleetPlan } from '../../shared/database/fleet-plan.ts';
import { readLastFleetRun } from '../../shared/database/fleet-runs.ts';
import { type FleetPlacement, readPlacements, readPlan } from '../../shared/database/fleet-state.ts';
import { readSilos, type Silo } from '../../shared/database/silo-databases.ts';
import type { RecordedFleetRun } from '../../shared/fleet/index.ts';
import { asOwner, clusterNamed, registryOf, type System } from './system.ts';

/** Databases of tenants' own that are asked at once. */
const silosAtOnce = 4;
/** Of the placements of a database in which something has failed. An answer of Lambda has its limits. */
const keptFailures = 50;

/** What a database lacks of this version's migrations, or why it cannot be asked. */
export type DatabaseStatus = { readonly database: string } & (
  { readonly plan: FleetPlan; readonly failed: readonly FleetPlacement[] } | { readonly error: string }
);

export interface Status {
  /** The run that began last, be it over or not; missing when there was none, or databases of tenants' own are asked on. */
  readonly lastRun?: RecordedFleetRun;
  /** Databases that tenants share come all, those of tenants' own only where something is lacking, has failed, or was withdrawn. */
  readonly databases: readonly DatabaseStatus[];
  /** Tenants up to this one were looked at; missing when all were. Ask on from there. */
  readonly after?: string;
}

/**
 * Says what is missing where, and what has failed. Changes nothing.
 *
 * @param after only databases of the tenants behind this one
 * @param until `Date.now()` from which on no more databases are asked
 */
export async function statusOf(system: System, until: number, after = ''): Promise<Status> {
  const databases: DatabaseStatus[] = [];
  const lastRun = after === '' ? await readLastFleetRun(registryOf(system)) : undefined;
  const begun = lastRun === undefined ? {} : { lastRun };
  if (after === '') {
    for (const cluster of system.clusters) databases.push(await lookAt(cluster.name, cluster.database, system));
  }
  for (let last = after; ;) {
    const silos: readonly Silo[] = await readSilos(registryOf(system), last, silosAtOnce);
    const next = silos.at(-1)?.tenantId;
    if (next === undefined) return { ...begun, databases };
    if (Date.now() >= until) return { ...begun, databases, after: last };
    const looks = silos.map(({ cluster, database }) => lookAt(cluster, database, system));
    databases.push(...(await Promise.all(looks)).filter((status) => !isUpToDate(status)));
    last = next;
  }
}

async function lookAt(cluster: string, database: string, system: System): Promise<DatabaseStatus> {
  const name = `${database} on the cluster ${cluster}`;
  try {
    const owner = asOwner(clusterNamed(system, cluster), database);
    const plan = await readPlan(owner, system.migrations.tenant, null, 0);
    const failed = await readPlacements(owner, null, true);
    return { database: name, plan, failed: failed.slice(0, keptFailures) };
  } catch (error) {
    return { database: name, error: error instanceof Error ? error.message : String(error) };
  }
}

function isUpToDate(status: DatabaseStatus): boolean {
  if ('error' in status) return false;
  const { steps, edited, withdrawn } = status.plan;
  return steps.length + edited.length + withdrawn.length + status.failed.length === 0;
}

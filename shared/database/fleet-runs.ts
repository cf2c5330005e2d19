import { type FleetRunCounts, fleetRunSchema, type RecordedFleetRun } from '../fleet/index.ts';
import type { Execute } from './migrator.ts';

/**
 * Writes down how far a run is. May be repeated, and come late.
 *
 * @param registry runs statements as the owner, where the registry is
 */
export async function recordFleetRun(registry: Execute, { putOff, ...run }: FleetRunCounts): Promise<void> {
  await registry('select cast(registry.record_fleet_run(cast(:run as jsonb)) as text)', {
    run: JSON.stringify({ ...run, put_off: putOff }),
  });
}

/**
 * Whether another run has begun since: that of a later deployment, whose files are the ones that count.
 *
 * @param registry as for `recordFleetRun`
 */
export async function isOvertaken(registry: Execute, run: string): Promise<boolean> {
  const [answer] = await registry(
    `select exists (select from registry.fleet_runs later, registry.fleet_runs this
     where this.id = cast(:run as uuid) and later.started_at > this.started_at)`,
    { run },
  );
  return answer === true;
}

/**
 * The run that began last; undefined when there was none, or the registry is of a version that knows of none.
 *
 * @param registry as for `recordFleetRun`
 */
export async function readLastFleetRun(registry: Execute): Promise<RecordedFleetRun | undefined> {
  const [isKnown] = await registry(`select to_regclass('registry.fleet_runs') is not null`);
  if (isKnown !== true) return undefined;
  const rows = await registry(
    `select cast(registry.fleet_run_record(r) as text) from registry.fleet_runs r order by r.started_at desc limit 1`,
  );
  return rows.map((row) => fleetRunSchema.parse(JSON.parse(String(row)))).at(0);
}

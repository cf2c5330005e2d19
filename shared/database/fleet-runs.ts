import * as z from 'zod';
import type { Execute } from './migrator.ts';

const causeSchema = z.object({
  version: z.string(),
  sqlstate: z.string(),
  error: z.string(),
  /** In so many placements. */
  count: z.int(),
  /** The first of them. */
  placements: z.array(z.string()).readonly(),
});

const countsSchema = z.object({
  id: z.string(),
  /**
   * `stopped` when more has failed than a run puts up with, `overtaken` when a later one goes on in its place. One that nobody goes on with
   * any more stays `running`: nothing moves.
   */
  state: z.enum(['running', 'done', 'failed', 'stopped', 'overtaken']),
  /** How often it was gone on with. */
  slice: z.int(),
  /** Where in the fleet it is. */
  place: z.string(),
  done: z.int(),
  failed: z.int(),
  /** Of those that failed, databases of tenants' own that are not there. */
  missing: z.int(),
  /** Databases of tenants' own that took too long, and are for when the others are done. */
  putOff: z.int(),
  /** Why something failed, the most frequent causes first. */
  causes: z.array(causeSchema).readonly(),
  /** Why it ended before its time. */
  error: z.string().nullable(),
});
/** How far a run of the migration runner is. */
export type FleetRunCounts = Readonly<z.output<typeof countsSchema>>;

const runSchema = countsSchema.extend({
  startedAt: z.string(),
  /** When it was last seen to be further than before. */
  movedAt: z.string(),
  updatedAt: z.string(),
  endedAt: z.string().nullable(),
});
/** A run of the migration runner, as the registry knows it. */
export type RecordedFleetRun = Readonly<z.output<typeof runSchema>>;

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
    `select cast(json_build_object('id', id, 'state', state, 'slice', slice, 'place', place, 'done', done, 'failed', failed,
       'missing', missing, 'putOff', put_off, 'causes', causes, 'error', error, 'startedAt', started_at, 'movedAt', moved_at,
       'updatedAt', updated_at, 'endedAt', ended_at) as text)
     from registry.fleet_runs order by started_at desc limit 1`,
  );
  return rows.map((row) => runSchema.parse(JSON.parse(String(row)))).at(0);
}

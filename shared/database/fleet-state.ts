import * as z from 'zod';
import { examples, type FleetPlan, planFleet, type PlacementGroup } from './fleet-plan.ts';
import type { Execute, Migration } from './migrator.ts';

const groupSchema = z.object({
  /** The placement whose rows these are. */
  one: z.string(),
  done: z.record(z.string(), z.string()).nullable(),
  placements: z.number().int(),
  first: z.array(z.string()),
});

const placementSchema = z.object({
  placement: z.string(),
  /** Newest migration that it has. */
  version: z.string().nullable(),
  applied: z.number().int(),
  /** So many of what was published last have not been applied to it, be they older or newer than its version. */
  lacks: z.number().int(),
  /** The first 20 of them. */
  missing: z.array(z.string()),
  /** What it has, or has begun with, though the files that were published last have it no more: the first 20. */
  withdrawn: z.array(z.string()),
  /** What has failed there since. */
  failed: z.string().nullable(),
  sqlstate: z.string().nullable(),
  error: z.string().nullable(),
  failed_at: z.string().nullable(),
});

/** What a placement has. */
export type FleetPlacement = z.infer<typeof placementSchema>;

/** Rows a call: a response of the Data API ends at 1 MiB. A placement has 40 names and an error of 1,000 characters at most. */
const pageSize = 100;
/** Of what a group of placements has a row has so many versions, as it ends at 64 KB, and a call so many rows. */
const versionsPerRow = 100;
const statesPerCall = 25;

/**
 * What the placements of a database have, grouped, so that a thousand that have the same are one row.
 *
 * @param only these placements alone; null for all
 */
export async function readFleet(
  execute: Execute,
  only: readonly string[] | null,
  canaries: number,
): Promise<readonly PlacementGroup[]> {
  const sql = `select cast(s as text) from tenancy.fleet_state(${onlyParameter}, cast(:examples as integer), ${versionsPerRow}) s`;
  const parameters = { only: toArray(only), examples: String(Math.max(canaries, examples)) };
  const rows = (await pages(execute, sql, parameters, statesPerCall)).map((row) => groupSchema.parse(row));
  return [...Map.groupBy(rows, ({ one }) => one).values()].flatMap(([first, ...more]) => {
    if (!first) return [];
    const parts = [first, ...more].map(({ done }) => Object.entries(done ?? {}));
    return [{ done: Object.fromEntries(parts.flat()), placements: first.placements, first: first.first }];
  });
}

/** What is to run where in one database. Changes nothing. */
export async function readPlan(
  execute: Execute,
  files: readonly Migration[],
  only: readonly string[] | null,
  canaries: number,
): Promise<FleetPlan> {
  return planFleet(await readFleet(execute, only, canaries), files, canaries);
}

/** Each placement with its version and its failure: of all, of these, or only where something has failed. */
export async function readPlacements(
  execute: Execute,
  only: readonly string[] | null,
  failedOnly = false,
): Promise<readonly FleetPlacement[]> {
  const sql = `select cast(to_json(p) as text) from tenancy.fleet_placements p
    where (${onlyParameter} is null or p.placement = any (${onlyParameter})) ${failedOnly ? 'and p.failed is not null' : ''}
    order by p.placement`;
  return (await pages(execute, sql, { only: toArray(only) })).map((row) => placementSchema.parse(row));
}

const doneSchema = z.object({ done: z.number().int() });
const failureSchema = z.object({
  placement: z.string(),
  version: z.string(),
  sqlstate: z.string(),
  error: z.string(),
});

/** What became of a run in one database. */
export interface FleetOutcome {
  /** Placements to which it brought something, and that lack nothing now. */
  readonly done: number;
  /** Where something failed last. */
  readonly failures: readonly z.infer<typeof failureSchema>[];
}

/** What the ledger has of a run. */
export async function readOutcome(execute: Execute, run: string): Promise<FleetOutcome> {
  const [first, ...failures] = await pages(execute, `select cast(o as text) from tenancy.run_outcome(:run) o`, { run });
  return { ...doneSchema.parse(first), failures: failures.map((failure) => failureSchema.parse(failure)) };
}

/** The Data API has no arrays: an empty text is no list, else it is a JSON array. */
export const onlyParameter = `cast((select array_agg(o) from json_array_elements_text(cast(nullif(:only, '') as json)) o) as text[])`;

export const toArray = (only: readonly string[] | null): string => (only === null ? '' : JSON.stringify(only));

async function pages(
  execute: Execute,
  sql: string,
  parameters: Readonly<Record<string, string>>,
  size = pageSize,
): Promise<unknown[]> {
  const rows: unknown[] = [];
  for (;;) {
    const page = await execute(`${sql} offset cast(:start as integer) limit ${size}`, {
      ...parameters,
      start: String(rows.length),
    });
    rows.push(...page.map((row) => JSON.parse(String(row)) as unknown));
    if (page.length < size) return rows;
  }
}

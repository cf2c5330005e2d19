import * as z from 'zod';
import { isTimeout, sqlstateOf } from './fleet-call.ts';
import type { FleetDatabase, FleetRun } from './fleet-run.ts';
import { onlyParameter, toArray } from './fleet-state.ts';
import { dropInvalidIndex, type MigrationMode, parseAlone } from './migration-modes.ts';

/** Placements of one database that a wave takes in; null for all. */
export interface Wave {
  readonly database: FleetDatabase;
  readonly only: readonly string[] | null;
}

/** Does one call's worth of work. @returns how many placements are through with it; nothing when there was no work to be had */
export type Work = (run: FleetRun, wave: Wave) => Promise<number | undefined>;

const outcomes = z.array(
  z.union([
    z.object({ placement: z.string(), failed: z.string(), sqlstate: z.string(), error: z.string() }),
    z.object({ placement: z.string(), applied: z.array(z.string()), complete: z.boolean() }),
  ]),
);

/** Takes down what a call says of its placements. */
function take(run: FleetRun, { database }: Wave, rows: unknown[] = []): number | undefined {
  const parsed = outcomes.parse(rows);
  for (const outcome of parsed) {
    const { placement } = outcome;
    if ('failed' in outcome) {
      run.failed({
        database: database.name,
        placement,
        version: outcome.failed,
        sqlstate: outcome.sqlstate,
        error: outcome.error,
      });
    } else {
      run.succeeded(database.name, placement, outcome.complete && outcome.applied.length > 0);
    }
  }
  return rows.length > 0
    ? parsed.filter((outcome) => 'failed' in outcome || outcome.applied.length > 0).length
    : undefined;
}

const migrateSome: Work = async (run, wave) => {
  const { placementsPerCall, callMs, locksPerCall } = run.options;
  const rows = await run.call(
    wave.database,
    `select cast(m as text) from tenancy.migrate_some(:run, ${onlyParameter}, cast(:placements as integer), cast(:ms as integer), cast(:locks as integer)) m`,
    () => ({
      run: run.id,
      only: toArray(wave.only),
      // No call fails in many more placements than the budget has.
      placements: String(Math.max(1, Math.min(placementsPerCall, run.budget + 1))),
      ms: String(callMs),
      locks: String(locksPerCall),
    }),
  );
  return take(run, wave, rows);
};

const backfillSome: Work = async (run, wave) => {
  const rows = await run.call(
    wave.database,
    `select cast(m as text) from tenancy.backfill_some(:run, ${onlyParameter}, cast(:ms as integer)) m`,
    () => ({ run: run.id, only: toArray(wave.only), ms: String(run.options.callMs) }),
  );
  return take(run, wave, rows);
};

const claimSchema = z.object({
  placement: z.string(),
  version: z.string(),
  sql: z.string(),
  mark: z.string(),
  /** Whether it was begun with another edition of the file. */
  edited: z.boolean(),
});

const finishSchema = z.object({ state: z.enum(['done', 'failed', 'taken']), complete: z.boolean().optional() });

const runAlone: Work = async (run, wave) => {
  const claims = await run.call(
    wave.database,
    `select cast(c as text) from tenancy.claim_alone(:run, ${onlyParameter}, cast(:lease as integer)) c`,
    () => ({ run: run.id, only: toArray(wave.only), lease: String(run.options.leaseSeconds) }),
  );
  const [first] = claims ?? [];
  if (first === undefined) return undefined;
  const { placement, version, sql, mark, edited } = claimSchema.parse(first);
  const { index, outcome, inSchema, makes } = parseAlone(version, sql);
  const subject = { placement, index, table: makes?.table ?? '', probe: makes?.onProbe ?? '' };
  await dropLeftOver(run, wave, { ...subject, mark, edited });
  let failure: unknown;
  try {
    await wave.database.execute(`${mark} ${inSchema(placement)}`);
  } catch (error) {
    // It goes on in the database, and is looked at again when it has ended there.
    if (isTimeout(error)) return 0;
    failure = error;
  }
  const [answer] =
    (await run.call(
      wave.database,
      `select cast(tenancy.finish_alone(:run, :placement, :version, :index, :table, :probe, :outcome, nullif(:sqlstate, ''), nullif(:error, '')) as text)`,
      () => ({
        run: run.id,
        ...subject,
        version,
        outcome,
        sqlstate: sqlstateOf(failure) ?? '',
        error: failure instanceof Error ? failure.message : '',
      }),
    )) ?? [];
  const { state, complete = false } = finishSchema.parse(answer ?? { state: 'taken' });
  if (state === 'done') run.succeeded(wave.database.name, placement, complete);
  if (state === 'failed') {
    const error = failure instanceof Error ? failure.message : `The index ${index} is not ${outcome}.`;
    run.failed({ database: wave.database.name, placement, version, sqlstate: sqlstateOf(failure) ?? '55000', error });
    await dropLeftOver(run, wave, { ...subject, mark, edited: false });
  }
  return state === 'taken' ? 0 : 1;
};

interface LeftOver {
  readonly placement: string;
  readonly index: string;
  readonly table: string;
  readonly probe: string;
  readonly mark: string;
  readonly edited: boolean;
}

/**
 * An index build that ended early leaves an index that costs every write and helps no read. One that was built as another edition of the
 * file said, and of which nobody has taken down that it was, is not the one that is wanted.
 */
async function dropLeftOver(run: FleetRun, wave: Wave, { mark, edited, ...subject }: LeftOver): Promise<void> {
  const [state] =
    (await run.call(
      wave.database,
      `select cast(to_json(tenancy.index_state(:placement, :index, :table, :probe)) as text)`,
      () => subject,
    )) ?? [];
  if (state === 'invalid' || (edited && state === 'other'))
    await wave.database.execute(`${mark} ${dropInvalidIndex(subject.placement, subject.index)}`);
}

export const works: Readonly<Record<MigrationMode, Work>> = {
  transaction: migrateSome,
  alone: runAlone,
  'each-tenant': backfillSome,
};

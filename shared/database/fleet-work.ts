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

const claimSchema = z.object({ placement: z.string(), version: z.string(), sql: z.string(), mark: z.string() });

const finishSchema = z.object({ state: z.enum(['done', 'failed', 'taken']), complete: z.boolean().optional() });

const runAlone: Work = async (run, wave) => {
  const claims = await run.call(
    wave.database,
    `select cast(c as text) from tenancy.claim_alone(:run, ${onlyParameter}, cast(:lease as integer)) c`,
    () => ({ run: run.id, only: toArray(wave.only), lease: String(run.options.leaseSeconds) }),
  );
  const [first] = claims ?? [];
  if (first === undefined) return undefined;
  const { placement, version, sql, mark } = claimSchema.parse(first);
  const { index, outcome, inSchema } = parseAlone(version, sql);
  await dropLeftOver(run, wave, { placement, index, mark });
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
      `select cast(tenancy.finish_alone(:run, :placement, :version, :index, :outcome, nullif(:sqlstate, ''), nullif(:error, '')) as text)`,
      () => ({
        run: run.id,
        placement,
        version,
        index,
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
    await dropLeftOver(run, wave, { placement, index, mark });
  }
  return state === 'taken' ? 0 : 1;
};

/** An index build that ended early leaves an index that costs every write and helps no read. */
async function dropLeftOver(
  run: FleetRun,
  wave: Wave,
  { placement, index, mark }: { placement: string; index: string; mark: string },
): Promise<void> {
  const [state] =
    (await run.call(wave.database, `select cast(to_json(tenancy.index_state(:placement, :index)) as text)`, () => ({
      placement,
      index,
    }))) ?? [];
  if (state === 'invalid') await wave.database.execute(`${mark} ${dropInvalidIndex(placement, index)}`);
}

export const works: Readonly<Record<MigrationMode, Work>> = {
  transaction: migrateSome,
  alone: runAlone,
  'each-tenant': backfillSome,
};

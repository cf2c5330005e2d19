import { fleetRunSchema, lostAfterSeconds, type RecordedFleetRun } from '../../shared/fleet/index.ts';
import { readAs } from './answer.ts';
import type { ControlPlane } from './control-plane.ts';

export type FleetRun = RecordedFleetRun;

/** A run of the migration runner. @param runId @default the one that began last */
export const showMigrations = async ({ get }: ControlPlane, runId?: string): Promise<FleetRun> =>
  readAs(fleetRunSchema, await get(runId === undefined ? '/migrations' : `/migrations/${encodeURIComponent(runId)}`));

/** Starts a run; the same key gives the same one. */
export const startMigrations = async ({ post }: ControlPlane, idempotencyKey: string): Promise<FleetRun> =>
  readAs(fleetRunSchema, await post('/migrations', {}, { idempotencyKey }));

/** Whether nobody goes on with a run any more. Clocks differ little: signatures hold for five minutes. */
export const isLost = ({ state, updatedAt }: Pick<FleetRun, 'state' | 'updatedAt'>, now = Date.now()): boolean =>
  state === 'running' && now - Date.parse(updatedAt) > lostAfterSeconds * 1_000;

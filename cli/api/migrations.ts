import { fleetRunSchema, type RecordedFleetRun } from '../../shared/fleet/index.ts';
import { readAs } from './answer.ts';
import type { ControlPlane } from './control-plane.ts';

export type FleetRun = RecordedFleetRun;

/** A run of the migration runner. @param runId @default the one that began last */
export const showMigrations = async ({ get }: ControlPlane, runId?: string): Promise<FleetRun> =>
  readAs(fleetRunSchema, await get(runId === undefined ? '/migrations' : `/migrations/${encodeURIComponent(runId)}`));

/** Starts a run; the same key gives the same one. */
export const startMigrations = async ({ post }: ControlPlane, idempotencyKey: string): Promise<FleetRun> =>
  readAs(fleetRunSchema, await post('/migrations', {}, { idempotencyKey }));

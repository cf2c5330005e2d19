/** Runs of the migration runner: what those who start, do, keep and show them have in common. */
export { type FleetFunctions, handOver } from './hand-over.ts';
export { beginRun, type Progress, progressSchema, type Tally } from './progress.ts';
export { type FleetRunCounts, fleetRunSchema, lostAfterSeconds, type RecordedFleetRun } from './recorded-run.ts';

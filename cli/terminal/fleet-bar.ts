import type { FleetProgress } from '../../shared/database/fleet-run.ts';
import { formatProgress } from './format-fleet.ts';

/** Draws the bar over itself, or takes it away. A pipe gets none. */
export function showProgress(progress?: FleetProgress): void {
  if (!process.stderr.isTTY) return;
  process.stderr.write(`\r\u001b[K${progress ? formatProgress(progress) : ''}`);
}

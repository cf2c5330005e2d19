import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atMost, type Bench } from './bench.ts';
import { withStack } from './stack.ts';

/** `npm run dev` to its `ready` line, with a new data folder and then again with the same one. */
export const bench: Bench = async (progress) => {
  const data = await mkdtemp(join(tmpdir(), 'tenantry-local-start-'));
  try {
    progress('first start, nothing there yet');
    const first = await secondsToReady(data);
    progress('second start');
    const warm = await secondsToReady(data);
    return {
      rows: [
        { case: 'first start', value: first, unit: 's' },
        { case: 'warm start', value: warm, unit: 's' },
      ],
      ratios: [atMost('seconds of a warm start', warm, 10)],
    };
  } finally {
    await rm(data, { recursive: true, force: true });
  }
};

function secondsToReady(data: string): Promise<number> {
  const started = performance.now();
  return withStack(data, () => (performance.now() - started) / 1000);
}

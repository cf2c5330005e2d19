import { styleText } from 'node:util';
import type { Bench } from '../bench.ts';

/** One benchmark, named by the argument. What it has measured goes to the parent. */
const name = process.argv[2] ?? '';
// Also when the parent is gone.
process.once('disconnect', () => process.exit());
const progress = (message: string): void => console.error(styleText('dim', `${name}  ${message}`));
const { bench } = (await import(`../${name}.ts`)) as { bench: Bench };
const started = performance.now();
progress('starting');
const result = await bench(progress);
progress(`done in ${((performance.now() - started) / 1000).toFixed(1)} s`);
process.send?.(result, () => process.disconnect());

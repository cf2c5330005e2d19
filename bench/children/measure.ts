import { styleText } from 'node:util';
import type { Bench } from '../bench.ts';

/** One benchmark, named by the argument. What it has measured goes to the parent. */
const name = process.argv[2] ?? '';
// Also when the parent is gone.
process.once('disconnect', () => process.exit());
const { bench } = (await import(`../${name}.ts`)) as { bench: Bench };
const result = await bench((message) => console.error(styleText('dim', `${name}  ${message}`)));
process.send?.(result, () => process.disconnect());

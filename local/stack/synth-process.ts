/** Writes the cloud assembly of stage `local` into a folder: `node synth-process.ts <folder> <JSON of StageOverrides>`. */
import { createApp } from '../../lib/app.ts';
import { loadConfig } from '../../lib/config.ts';
import type { StageOverrides } from './synthesize.ts';

const [folder = 'cdk.out', overrides = '{}'] = process.argv.slice(2);
// Findings are for `cdk synth` and the tests: here they would only cost time.
createApp(loadConfig('local', JSON.parse(overrides) as StageOverrides), { outdir: folder, validate: false }).synth();

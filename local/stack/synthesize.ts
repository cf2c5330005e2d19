import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, readFileSync, statSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StageConfigInput } from '../../lib/config.ts';
import { StartupError } from './startup-error.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const synthScript = fileURLToPath(new URL('synth-process.ts', import.meta.url));

/** All that the templates and bundles are made from. */
const sources = ['cdk.json', 'package-lock.json', 'lib/**', 'functions/**', 'shared/**', 'migrations/**'];

/** In the assembly, so that whoever deletes that gets a new one. */
const keyFile = 'sources.sha256';

export type StageOverrides = Pick<StageConfigInput, 'issuers' | 'baseDomains'>;

/**
 * The cloud assembly of stage `local`, as `cdk synth` would make it; made anew only if a source or the configuration has changed.
 *
 * @param folder in the data folder, whose content is this program's; replaced as a whole
 * @returns whether the assembly in `folder` was still good
 * @throws StartupError with what the CDK printed
 */
export async function synthesize(folder: string, overrides: StageOverrides): Promise<{ reused: boolean }> {
  const key = sourceHash(JSON.stringify(overrides));
  if ((await readFile(join(folder, keyFile), 'utf8').catch(() => '')) === key) return { reused: true };
  const fresh = `${folder}.new`;
  await rm(fresh, { recursive: true, force: true });
  // What is in it is run: nobody else may write to it, whatever modes the CDK gives to assets.
  await mkdir(fresh, { mode: 0o700 });
  await runSynthesis(fresh, overrides);
  await writeFile(join(fresh, keyFile), key);
  await rm(folder, { recursive: true, force: true });
  await rename(fresh, folder);
  return { reused: false };
}

/** In a process of its own: the CDK keeps a processor busy for seconds, in which databases can start. */
async function runSynthesis(folder: string, overrides: StageOverrides): Promise<void> {
  const child = spawn(process.execPath, [synthScript, folder, JSON.stringify(overrides)], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  const keep = (chunk: Buffer): void => void (printed += chunk.toString());
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const end = (): void => void child.kill('SIGKILL');
  process.once('exit', end);
  const code = await new Promise((resolve, reject) => child.once('close', resolve).once('error', reject));
  process.off('exit', end);
  if (code !== 0) throw new StartupError(`The stacks could not be synthesized:\n${printed.trim()}`);
}

function sourceHash(salt: string): string {
  const hash = createHash('sha256').update(salt);
  for (const file of globSync(sources, { cwd: root }).sort()) {
    const path = join(root, file);
    if (statSync(path).isFile()) hash.update(`\0${file}\0`).update(readFileSync(path));
  }
  return hash.digest('hex');
}

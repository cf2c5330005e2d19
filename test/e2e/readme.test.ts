import { execFile, execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyDiff, type Block, blocksOf } from '../helpers/markdown.ts';
import { makePassableFolder } from '../helpers/passable-folder.ts';
import { type DevRun, runDev, stopDev } from '../helpers/stack.ts';

/** Follows the README in a copy of the repository: every command is run, every file is written, answers are compared. */
const run = promisify(execFile);
const blocks = blocksOf(await readFile('README.md', 'utf8'));
const commands = blocks.filter((block) => block.language === 'sh');
/** Installing and testing inside of a test would not end; .ci/run runs these, on a clean checkout. */
const leftToCi = new Set(['npm ci', 'npm run check', 'npm test']);

let copy: string;
let dev: DevRun | undefined;

beforeAll(async () => {
  copy = await makePassableFolder('tenantry-readme-');
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' });
  for (const file of files.trim().split('\n')) await cp(file, join(copy, file)).catch(() => undefined);
  await symlink(resolve('node_modules'), join(copy, 'node_modules'));
});
afterAll(async () => {
  if (dev) await stopDev(dev);
  await rm(copy, { recursive: true, force: true });
});

async function restart(): Promise<string> {
  if (dev) await stopDev(dev);
  dev = runDev(join(copy, '.local'), { cwd: copy });
  return dev.ready;
}

/** What the commands print, as one who pastes them sees it. */
async function paste({ text }: Block, url = ''): Promise<string> {
  const lines = text.replaceAll('http://127.0.0.1:3000', url);
  const env = { ...process.env, PATH: `${join(copy, 'node_modules/.bin')}:${String(process.env.PATH)}` };
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', lines], {
    cwd: copy,
    env,
  });
  return stdout;
}

const blockWith = (part: string): Block => {
  const block = commands.find(({ text }) => text.includes(part));
  if (!block) throw new Error(`The README has no command block with ${part}.`);
  return block;
};

/** Ids and times differ at every run. */
const masked = (text: string): unknown[] =>
  text
    .trim()
    .replaceAll(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, 'ID')
    .replaceAll(/(?<="instance":")[\w+\/=-]+/g, 'ID')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+\+00:00/g, 'TIME')
    .replaceAll('}{', '}\n{')
    .split('\n')
    .map((line) => JSON.parse(line));

describe('the README', () => {
  it('has no command that is run nowhere', async () => {
    const ci = await readFile('.ci/run', 'utf8');
    const known = ['npm run dev', '/projects', '/notes', 'tenant -- create', 'npm run bench', 'npm run synth'];
    for (const { text } of commands) {
      for (const line of text.trim().split('\n')) {
        if (leftToCi.has(line)) expect(ci.split('\n'), '.ci/run').toContain(line);
        else
          expect(
            known.some((part) => text.includes(part)),
            line,
          ).toBe(true);
      }
    }
    for (const { text } of blocks.filter((block) => block.language === 'sh-aws')) {
      console.log(`Not run, since it needs an AWS account:\n${text}`);
    }
  });

  it('starts the stack and shows what it says', async () => {
    expect(blockWith('npm run dev').text).toBe('npm ci\nnpm run dev\n');
    const url = await restart();
    const shown = await paste(blockWith('/projects'), url);
    const promised = blocks.find(({ language, text }) => language === 'text' && text.includes('"items"'));
    expect(masked(shown)).toEqual(masked(promised?.text ?? ''));
  });

  it('adds a resource that works', async () => {
    for (const { file, language, text } of blocks) {
      if (file === undefined) continue;
      const path = join(copy, file);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, language === 'diff' ? applyDiff(await readFile(path, 'utf8'), text) : text);
    }
    const url = await restart();
    const made = await paste(blockWith('/notes'), url);
    expect(JSON.parse(made)).toMatchObject({ text: 'It took four minutes.', id: expect.any(String) });
    const { stdout } = await run('npx', ['tsc', '--noEmit', '-p', '.', '--incremental', 'false'], { cwd: copy });
    expect(stdout).toBe('');
  });

  it('runs the life of a tenant', async () => {
    const shown = await paste(blockWith('tenant -- create'));
    expect(shown.match(/"state": "succeeded"/g)?.length).toBeGreaterThanOrEqual(3);
    expect(shown).toMatch(/"action"|"proof"|"cacheKeys": 0/);
    const [folder = ''] = await readdir(join(copy, '.local/exports/wonka'));
    expect(await readdir(join(copy, '.local/exports/wonka', folder))).toContain('manifest.json');
  });

  it('benchmarks', async () => {
    expect(await paste(blockWith('npm run bench'))).toMatch(/calls of ours\s+1\s+target ≤ 1\s+.*met/);
  });

  it('synthesizes', async () => {
    await paste(blockWith('npm run synth'));
  });
});

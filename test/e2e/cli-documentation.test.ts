import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { beforeAll, expect, inject, test } from 'vitest';
import { commands } from '../../cli/commands/index.ts';
import { blocksOf } from '../helpers/markdown.ts';
import { makePassableFolder } from '../helpers/passable-folder.ts';
import { atTerminal, noTerminal } from '../helpers/terminal.ts';

/** Types every command of these pages at a terminal, and compares what it shows. */
const pages = ['docs/cli.md', 'docs/placements.md'];
const text = await readFile('docs/cli.md', 'utf8');
const examples = pages.flatMap((page) => {
  const blocks = blocksOf(readFileSync(page, 'utf8'));
  return blocks.flatMap(({ language, text: typed }, at) =>
    language === 'sh' ? [{ page, typed, shown: blocks[at + 1] }] : [],
  );
});
const { dataDir } = inject('stack');
let profile: string;

beforeAll(async () => {
  profile = join(await makePassableFolder('tenantry-docs-'), 'profile');
  const [node, run] = [process.execPath, resolve('local/run.cjs')];
  // As the page has it, but for npm, and with the folder of the stack of this run.
  await writeFile(
    profile,
    `tenant() { case "$*" in *--api*) '${node}' '${run}' ../cli/tenant "$@" ;; *) '${node}' '${run}' ../cli/tenant "$@" --data '${dataDir}' ;; esac; }\n`,
  );
});

/** Ids and times differ at every run. */
const masked = (shown: string): string[] =>
  shown
    .replaceAll(/\r\u001b\[2K[^\r\n]*(?=\r\u001b)|\u001b\[2K/g, '')
    .replaceAll(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, 'ID')
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d/g, 'TIME')
    .replaceAll(/\d+:\d\d(?= since)/g, 'CLOCK')
    .replaceAll(/\d+\.\d s\b/g, 'SECONDS')
    .split(/\r*\n/)
    .map((line) => line.replaceAll('\r', '').trimEnd());

for (const { page, typed, shown } of examples) {
  test(`${page}: ${typed.split('\n')[0]}`, { timeout: 30_000 }, async ({ skip }) => {
    skip(noTerminal !== undefined, noTerminal);
    const script = `${profile}.sh`;
    await writeFile(script, `set -euo pipefail\nsource '${profile}'\n${typed.replaceAll('.local/', `${dataDir}/`)}`);
    const { code, screen } = await atTerminal(`bash '${script}'`, { columns: 100, env: { NO_COLOR: '1' } });
    expect(code, screen).toBe(0);
    expect(shown?.language).toBe('text');
    expect(masked(screen)).toEqual(masked(shown?.text ?? ''));
  });
}

test('docs/cli.md names every command', () => {
  for (const name of Object.keys(commands)) expect(text).toMatch(new RegExp(`(tenant |\`)${name}\\b`));
});

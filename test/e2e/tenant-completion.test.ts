import { execFile, spawnSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { commands } from '../../cli/commands/index.ts';
import { tenantCommand } from '../helpers/command.ts';
import { makePassableFolder } from '../helpers/passable-folder.ts';
import { atTerminal, noTerminal, typing } from '../helpers/terminal.ts';

const run = promisify(execFile);
const { dataDir } = inject('stack');
let folder: string;
beforeAll(async () => {
  folder = await makePassableFolder('tenantry-completion-');
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout } = await tenantCommand('completion', shell);
    expect(code).toBe(0);
    await writeFile(join(folder, shell), stdout);
  }
});
afterAll(() => rm(folder, { recursive: true }));

const isMissing = (shell: string): boolean => spawnSync(shell, ['-c', 'true']).error !== undefined;

/** What bash proposes for the last of the words. */
async function proposed(...words: readonly string[]): Promise<string[]> {
  const asked = 'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tenant; printf "%s\\n" "${COMPREPLY[@]}"';
  const { stdout } = await run('bash', ['--norc', '-c', asked, join(folder, 'bash'), 'tenant', ...words]);
  return stdout.split('\n').filter(Boolean);
}

describe('bash completes', () => {
  test('commands', async () => {
    expect(await proposed('')).toEqual(Object.keys(commands));
    expect(await proposed('s')).toEqual(['show', 'suspend']);
  });

  test('options of the command, and what they may be', async () => {
    expect(await proposed('delete', '--no')).toEqual(['--no-export', '--no-wait']);
    expect(await proposed('list', '--plan', '')).toEqual(['free', 'pro', 'enterprise']);
    expect(await proposed('list', '--state', 's')).toEqual(['suspended']);
    expect(await proposed('create', '--name', '')).toEqual([]);
  });

  test('tenants, of the control plane that the line names', async () => {
    expect(await proposed('show', '--data', dataDir, 'glob')).toEqual(['globex']);
    expect(await proposed('plan', '--data', dataDir, 'hooli', 'p')).toEqual(['pro']);
    expect(await proposed('run', '--json', '--data', dataDir, 'umb')).toEqual(['umbrella']);
    expect(await proposed('create', '--data', dataDir, '')).toEqual([]);
  });

  test('nothing when nobody answers', async () => {
    expect(await proposed('show', '--data', folder, '')).toEqual([]);
    expect(await proposed('frob', '')).toEqual([]);
  });

  test('an alias, as somebody types it', async ({ skip }) => {
    skip(noTerminal !== undefined, noTerminal);
    const script = `PS1='$ '; alias tenant='echo RAN'; source '${join(folder, 'bash')}'\n`;
    await writeFile(join(folder, 'rc'), script);
    const { screen } = await atTerminal(`bash --rcfile '${join(folder, 'rc')}' -i`, {
      columns: 200,
      type: typing([/\$ /, `tenant sh\t--data ${dataDir} glo\t\r`], [/RAN/, 'exit\r']),
    });
    expect(screen).toContain(`RAN show --data ${dataDir} globex`);
  });
});

describe.each(['bash', 'zsh', 'fish'])('the script for %s', (shell) => {
  test('is one that the shell can read', async ({ skip }) => {
    skip(isMissing(shell), `There is no ${shell} here.`);
    await run(shell, ['-n', join(folder, shell)]);
  });
});

test('zsh completes tenants by its own functions', async ({ skip }) => {
  skip(isMissing('zsh'), 'There is no zsh here.');
  const ask = `autoload -Uz compinit; compinit -D; source "$0"; words=(tenant show --data '${dataDir}' g); CURRENT=5; compadd() { print -l -- "\${(@)\${(P)\${@[-1]}}}"; }; _tenant_ids`;
  const { stdout } = await run('zsh', ['-f', '-c', ask, join(folder, 'zsh')]);
  expect(stdout.split('\n')).toContain('globex');
});

test('fish completes commands and tenants', async ({ skip }) => {
  skip(isMissing('fish'), 'There is no fish here.');
  const complete = async (line: string): Promise<string> =>
    (await run('fish', ['--no-config', '-c', `source '${join(folder, 'fish')}'; complete -C '${line}'`])).stdout;
  expect(await complete('tenant sus')).toMatch(/^suspend\t/);
  expect(await complete(`tenant show --data ${dataDir} g`)).toMatch(/^globex/m);
});

test('a shell is named', async () => {
  const { code, stderr } = await tenantCommand('completion', 'tcsh');
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringMatching(/is one of bash, zsh, fish/) });
});

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { tenantCommand } from '../../helpers/command.ts';

test('what cannot be printed is not done: the command says so, and exits with 1', () => {
  // As a disk does that is full.
  const unwritable = openSync(import.meta.filename, 'r');
  const { status: code, stderr } = spawnSync(process.execPath, ['local/run.cjs', '../cli/tenant', '--help'], {
    stdio: ['ignore', unwritable, 'pipe'],
    encoding: 'utf8',
  });
  closeSync(unwritable);
  expect({ code, stderr }).toEqual({ code: 1, stderr: 'The output cannot be written (EBADF).\n' });
});

test('who has seen enough of it may close the pipe', async () => {
  const command = spawn(process.execPath, ['local/run.cjs', '../cli/tenant', '--help'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  command.stdout.destroy();
  const [stderr, [code]] = await Promise.all([text(command.stderr), once(command, 'close')]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

test('help is asked for before a command or behind it', async () => {
  const [before, behind, unknown] = await Promise.all([
    tenantCommand('help', 'create'),
    tenantCommand('create', '--help'),
    tenantCommand('help', 'frob'),
  ]);
  expect(before).toEqual(behind);
  expect(unknown).toMatchObject({ code: 2, stderr: expect.stringMatching(/^There is no command frob\./) });
});

import { rm } from 'node:fs/promises';
import { describe, expect, inject, test } from 'vitest';
import { type CommandRun, tenantCommand } from '../helpers/command.ts';
import { makePassableFolder } from '../helpers/passable-folder.ts';

const tenant = (command: string, ...args: readonly string[]): Promise<CommandRun> =>
  tenantCommand(command, '--data', inject('stack').dataDir, ...args);

describe('tenant list', () => {
  test('prints tenants as JSON when piped', async () => {
    const { code, stdout, stderr } = await tenant('list', '--plan', 'pro', '--state', 'active', '--model', 'pool');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const tenants = JSON.parse(stdout) as { tenantId: string; plan: string }[];
    expect(tenants.map(({ tenantId }) => tenantId)).toEqual(expect.arrayContaining(['globex', 'hooli']));
    expect(tenants.filter(({ plan }) => plan !== 'pro')).toEqual([]);
  });

  test('says what is wrong with a filter', async () => {
    const { code, stdout, stderr } = await tenant('list', '--plan', 'gold');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^The request is not valid:\n {2}query\/plan: .*"free".*\n$/);
  });
});

describe('tenant show', () => {
  test('prints a tenant as JSON when piped', async () => {
    const { code, stdout } = await tenant('show', 'umbrella');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ tenantId: 'umbrella', state: 'suspended', plan: 'free' });
  });

  test.each([
    [['nobody'], /^There is no tenant nobody\.\n$/],
    [['../tenants'], /^"\.\.\/tenants" is no tenant id\./],
    [[], /^Name one tenant\.\nusage: /],
    [['acme', 'globex'], /^Name one tenant\.\nusage: /],
    [['acme', '--colour'], /^Unknown option '--colour'/],
  ])('says what is wrong with %j', async (args, message) => {
    const { code, stdout, stderr } = await tenant('show', ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });
});

test('without a stack there is nobody to ask, and the command says how to start one', async () => {
  const folder = await makePassableFolder('tenantry-tenant-');
  const { code, stderr } = await tenantCommand('list', '--data', folder);
  await rm(folder, { recursive: true });
  expect(code).toBe(2);
  expect(stderr).toMatch(/^No stack is running in .*npm run dev/);
});

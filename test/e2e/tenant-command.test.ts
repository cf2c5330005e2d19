import { rm } from 'node:fs/promises';
import { describe, expect, inject, test } from 'vitest';
import { type CommandRun, tenantCommand } from '../helpers/command.ts';
import { makePassableFolder } from '../helpers/passable-folder.ts';

const tenant = (command: string, ...args: readonly string[]): Promise<CommandRun> =>
  tenantCommand(command, '--data', inject('stack').dataDir, ...args);

describe('tenant list', () => {
  test.each([
    ['pro', 'pool', 'hooli'],
    ['pro', 'bridge', 'globex'],
    ['enterprise', 'silo', 'acme'],
  ])('prints tenants as JSON when piped: plan %s, model %s', async (plan, model, one) => {
    const { code, stdout, stderr } = await tenant('list', '--plan', plan, '--state', 'active', '--model', model);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const tenants = JSON.parse(stdout) as { tenantId: string; plan: string; placement: { model: string } }[];
    expect(tenants.map(({ tenantId }) => tenantId)).toContain(one);
    expect(tenants.filter((found) => found.plan !== plan || found.placement.model !== model)).toEqual([]);
  });

  test('says what is wrong with a filter', async () => {
    const { code, stdout, stderr } = await tenant('list', '--plan', 'gold');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(
      /^--plan is one of free, pro, enterprise, not "gold"\.\nusage: .* list \[options\]\nMore: .* list --help\n$/,
    );
  });
});

describe('tenant show', () => {
  test('prints a tenant as JSON when piped', async () => {
    const { code, stdout } = await tenant('show', 'umbrella');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ tenantId: 'umbrella', state: 'suspended', plan: 'free' });
  });

  test.each([
    [1, ['nobody'], /^No such resource \[not-found\]\nThere is no tenant nobody\.\n.*list/],
    [2, ['../tenants'], /^"\.\.\/tenants" is no tenant id: /],
    [2, [], /^Name the <tenant>\.\nusage: .*\nMore: .* show --help\n$/],
    [2, ['acme', 'globex'], /^There is one thing too much: "globex"\.\n/],
    [2, ['acme', '--colour'], /^Unknown option '--colour'/],
    [2, ['acme', '--api', 'https://example.com'], /^--api names a deployed control plane, --data a local one: choose/],
  ])('exits with %d and says what is wrong with %j', async (exitCode, args, message) => {
    const { code, stdout, stderr } = await tenant('show', ...args);
    expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' });
    expect(stderr).toMatch(message);
  });
});

describe('the command', () => {
  test('says what there is when it is not told what to do, and when it is told something else', async () => {
    const [nothing, other, help] = await Promise.all([tenantCommand(), tenantCommand('frob'), tenantCommand('--help')]);
    expect([nothing.code, other.code, help.code]).toEqual([2, 2, 0]);
    expect(other.stderr).toMatch(/^There is no command frob\.\nusage: /);
    expect(other.stderr).toContain(help.stdout);
    for (const name of ['list', 'create', 'delete', 'operations', 'audit-log', 'impersonate', 'quotas', 'run']) {
      expect(help.stdout).toMatch(new RegExp(`^ {2}${name} +\\S`, 'm'));
    }
  });

  test('describes each of its commands', async () => {
    const { code, stdout } = await tenantCommand('create', '--help');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^usage: npm run -s tenant -- create <tenant> \[options\]\n/);
    expect(stdout).toMatch(/--plan P +.*: free, pro, enterprise\n/);
  });
});

test('without a stack there is nobody to ask, and the command says how to start one', async () => {
  const folder = await makePassableFolder('tenantry-tenant-');
  const { code, stderr } = await tenantCommand('list', '--data', folder);
  await rm(folder, { recursive: true });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^No stack is running in .*npm run dev/);
});

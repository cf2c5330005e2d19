import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { type CommandRun, tenantCommand as tenant } from '../helpers/command.ts';
import { makePassableFolder } from '../helpers/passable-folder.ts';
import { readStackFile, runDev, stopDev } from '../helpers/stack.ts';

const audit = (...args: readonly string[]): Promise<CommandRun> =>
  tenant('audit', '--data', inject('stack').dataDir, ...args);

let superuser: Client;
let folder: string;

beforeEach(async () => {
  folder = await makePassableFolder('tenantry-audit-');
  const { postgresUrl } = await readStackFile(inject('stack').dataDir);
  superuser = new Client({ connectionString: postgresUrl });
  await superuser.connect();
});
afterEach(async () => {
  await superuser.end();
  await rm(folder, { recursive: true });
});

describe('tenant audit', () => {
  test('finds nothing in a stack as it was deployed, with its demo tenants', async () => {
    expect(await audit()).toEqual({ code: 0, stdout: '[]\n', stderr: '' });
  });

  test('prints findings as JSON when piped, exits with 1, and finds nothing after the remedy', async () => {
    await superuser.query('create index due on pool.tasks (due_on)');
    try {
      const { code, stdout } = await audit();
      const findings = JSON.parse(stdout) as { remedy: string }[];
      expect({ code, findings }).toMatchObject({
        code: 1,
        findings: [
          { cluster: 'main', database: 'tenantry', class: 29, severity: 'error', object: 'pool.due on pool.tasks' },
        ],
      });
      await superuser.query(findings[0]?.remedy ?? '');
      expect((await audit('--json')).code).toBe(0);
    } finally {
      await superuser.query('drop index if exists pool.due');
    }
  });

  test('finds a tenant who is at home in a second database, on another cluster', async () => {
    const { postgresUrls } = await readStackFile(inject('stack').dataDir);
    const other = new Client({ connectionString: postgresUrls['silos'] });
    await other.connect();
    await other.query(`select tenancy.set_placement('initech', 'pool', 'active')`);
    try {
      const { code, stdout } = await audit();
      const findings = JSON.parse(stdout) as { remedy: string }[];
      const where = { cluster: 'silos', database: 'tenantry', class: 33, severity: 'error', object: 'tenant initech' };
      expect({ code, findings }).toMatchObject({ code: 1, findings: [where] });
      await other.query(findings[0]?.remedy ?? '');
      expect((await audit()).code).toBe(0);
    } finally {
      await other.query(`delete from tenancy.placements where tenant_id = 'initech'`);
      await other.end();
    }
  });

  test('names a tenant whose database is not there', async () => {
    await superuser.query(
      `insert into registry.tenants (tenant_id, name, plan, model, cluster, database, schema)
       values ('nowhere', 'Nowhere', 'free', 'pool', 'given-up', 'tenantry', 'pool')`,
    );
    try {
      const { code, stdout } = await audit();
      expect({ code, findings: JSON.parse(stdout) as unknown }).toMatchObject({
        code: 1,
        findings: [{ class: 33, object: 'tenant nowhere', remedy: expect.stringContaining('tenant delete nowhere') }],
      });
    } finally {
      await superuser.query(`delete from registry.tenants where tenant_id = 'nowhere'`);
    }
  });

  test('says what to do when no stack runs', async () => {
    const { code, stdout, stderr } = await tenant('audit', '--data', folder);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe(
      `No stack is running in ${folder}. Start one with "npm run dev", or name its folder with --data DIR.\n`,
    );
  });

  test('says what to do when the stack was killed', async () => {
    const stack = await readFile(join(inject('stack').dataDir, 'stack.json'), 'utf8');
    const { dataApiUrl } = JSON.parse(stack) as { dataApiUrl: string };
    await writeFile(join(folder, 'stack.json'), stack.replaceAll(dataApiUrl, 'http://127.0.0.1:1'));
    const { code, stderr } = await tenant('audit', '--data', folder);
    expect(code).toBe(2);
    expect(stderr).toMatch(/does not answer at http:\/\/127\.0\.0\.1:1\. Start it again with "npm run dev"\.\n$/);
    await writeFile(join(folder, 'stack.json'), '{');
    expect((await tenant('audit', '--data', folder)).stderr).toMatch(/does not describe a stack/);
  });

  test('explains itself, and refuses what it does not know', async () => {
    expect(await tenant('audit', '--help')).toMatchObject({ code: 0, stdout: expect.stringContaining('--json') });
    expect(await tenant('--help')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ {2}audit /m) });
    expect(await tenant()).toMatchObject({ code: 2, stderr: expect.stringMatching(/^usage: /) });
    expect(await tenant('audti')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^There is no command audti/),
    });
    expect(await tenant('audit', '--jsno')).toMatchObject({ code: 2, stderr: expect.stringContaining('usage: ') });
  });
});

test('a stack does not start over a database with a way around row-level security', async () => {
  const first = runDev(folder);
  await first.ready;
  const { postgresUrl } = await readStackFile(folder);
  const client = new Client({ connectionString: postgresUrl });
  await client.connect();
  await client.query('alter table pool.tasks disable row level security');
  await client.end();
  await stopDev(first);
  const second = runDev(folder);
  expect(await second.ended).toBe(1);
  expect(second.output()).toMatch(/failed, as it would fail a deployment: AuditError: The audit of tenantry/);
  expect(second.output()).toContain(`class 1  pool.tasks: Row-level security is off`);
});

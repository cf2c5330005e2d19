import { chmod, chown, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startPostgres } from '../../local/postgres.ts';
import { makePassableFolder } from '../helpers/passable-folder.ts';
import { isRoot, needsRoot, pathWithoutUserNamespaces } from '../helpers/other-users.ts';

let folder: string;

beforeEach(async () => {
  folder = await makePassableFolder('tenantry-postgres-');
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const startWith = (dataDir: string, superuserPassword: string) =>
  startPostgres({ dataDir, superuserPassword, settings: { fsync: 'off' } });
const start = (dataDir: string) => startWith(dataDir, 'secret');

describe('a folder that is none of a cluster’s is refused, and nothing in it is changed,', () => {
  test('when it holds other files', async () => {
    await writeFile(join(folder, 'schema.sql'), 'select 1');
    await expect(start(folder)).rejects.toThrow(/^.* is not empty and holds no Postgres cluster/);
    expect(await readdir(folder)).toEqual(['schema.sql']);
  });

  test('when it has lost the file that says what it is', async () => {
    const dataDir = join(folder, 'data');
    await (await start(dataDir)).stop();
    await rm(join(dataDir, 'PG_VERSION'));
    const before = await readdir(dataDir, { recursive: true });
    await expect(start(dataDir)).rejects.toMatchObject({ name: 'StartupError' });
    expect(await readdir(dataDir, { recursive: true })).toEqual(before);
  });

  test('when another user made it', async ({ skip }) => {
    skip(!isRoot, needsRoot);
    const dataDir = join(folder, 'data');
    await mkdir(dataDir, { mode: 0o700 });
    await writeFile(join(dataDir, 'PG_VERSION'), '17');
    await chown(dataDir, 1_234, 1_234);
    await expect(start(dataDir)).rejects.toThrow(
      /^.*data belongs to user 1234, and Postgres would run as user \d+ now/,
    );
  });
});

test('a cluster that was half made when a start was killed is made anew', async () => {
  await mkdir(join(folder, '.data.Xy12Z'));
  await writeFile(join(folder, '.data.Xy12Z', 'PG_VERSION'), '17');
  const dataDir = join(folder, 'data');
  await (await start(dataDir)).stop();
  expect(await readdir(folder)).toEqual(['data']);
});

describe('Postgres says in a line', () => {
  test('that the cluster has another password, without waiting for it to change', async () => {
    const dataDir = join(folder, 'data');
    await (await start(dataDir)).stop();
    await expect(startWith(dataDir, 'other')).rejects.toThrow(
      /^The Postgres in .*another password.*superuser-password/,
    );
  }, 20_000);

  test('how it ended when nobody stopped it', async () => {
    const dataDir = join(folder, 'data');
    const postgres = await start(dataDir);
    const [pid] = (await readFile(join(dataDir, 'postmaster.pid'), 'utf8')).split('\n');
    process.kill(Number(pid), 'SIGKILL');
    expect(await postgres.crashed).toBe('signal SIGKILL');
  });
});

describe('for root without user namespaces Postgres', () => {
  beforeEach(async () => {
    await mkdir(join(folder, 'bin'));
    vi.stubEnv('PATH', await pathWithoutUserNamespaces(join(folder, 'bin')));
  });
  afterEach(() => void vi.unstubAllEnvs());

  test('runs as a user who owns nothing but its data', async ({ skip }) => {
    skip(!isRoot, needsRoot);
    const postgres = await start(join(folder, 'data'));
    const client = new Client({ connectionString: postgres.url() });
    await client.connect();
    const { rows } = await client.query('select 1 as one');
    await client.end();
    await postgres.stop();
    expect(rows).toEqual([{ one: 1 }]);
    expect((await stat(join(folder, 'data'))).uid).toBe(65_534);
  });

  test('says in one line which folder keeps that user out, and what to do', async ({ skip }) => {
    skip(!isRoot, needsRoot);
    const closed = join(folder, 'closed');
    await mkdir(join(closed, 'inner'), { recursive: true });
    await chmod(closed, 0o700);
    const started = start(join(closed, 'inner', 'data'));
    await expect(started).rejects.toMatchObject({ name: 'StartupError' });
    await expect(started).rejects.toThrow(
      new RegExp(`^Postgres .* root, .*"nobody".* cannot pass through ${closed}\\. .*chmod o\\+x ${closed}.*\\.$`),
    );
  });
});

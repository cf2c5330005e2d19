import { chmod, mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startPostgres } from '../../local/postgres.ts';
import { makePassableFolder } from '../helpers/passable-folder.ts';
import { isRoot, needsRoot, pathWithoutUserNamespaces } from '../helpers/other-users.ts';

let folder: string;

beforeEach(async () => {
  folder = await makePassableFolder('tenantry-postgres-');
  await mkdir(join(folder, 'bin'));
  vi.stubEnv('PATH', await pathWithoutUserNamespaces(join(folder, 'bin')));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

const start = (dataDir: string) => startPostgres({ dataDir, superuserPassword: 'secret', settings: { fsync: 'off' } });

describe('for root without user namespaces Postgres', () => {
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

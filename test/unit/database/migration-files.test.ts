import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MigrationFileError } from '../../../shared/database/migration-modes.ts';
import { readMigrations } from '../../../shared/database/migrator.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenantry-migrations-'));
});
afterEach(() => rm(folder, { recursive: true }));

const write = (name: string, content: string | Uint8Array): Promise<void> => writeFile(join(folder, name), content);

test('a file is the same whichever system has saved it', async () => {
  await write('001_a.sql', 'create table a ();\nselect 1;\n');
  await write('002_a.sql', '\ufeffcreate table a ();\r\nselect 1;\r\n');
  const [unix, other] = await readMigrations(folder);
  expect(other).toMatchObject({ version: '002_a', sql: 'create table a ();\nselect 1;\n', checksum: unix?.checksum });
});

test('what an editor leaves, and folders, are no migrations', async () => {
  await mkdir(join(folder, '001_old.sql'));
  for (const name of ['002_b.sql', '002_b.sql~', '002_b.sql.orig', '.002_b.sql.swp', '.#002_b.sql', 'README.md'])
    await write(name, 'select 1');
  expect((await readMigrations(folder)).map(({ version }) => version)).toEqual(['002_b']);
});

test.each([
  ['other text than UTF-8', Uint8Array.of(0x2d, 0x2d, 0xff, 0xfe), 'Migration 003_c is no text in UTF-8'],
  ['a NUL character', "select 'a\0b'", 'Migration 003_c has a NUL character'],
])('%s is refused with the name of the file', async (_, content, message) => {
  await write('003_c.sql', content);
  const reading = readMigrations(folder);
  await expect(reading).rejects.toThrow(MigrationFileError);
  await expect(reading).rejects.toThrow(message);
});

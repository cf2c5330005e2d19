import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openDataFolder } from '../../../local/stack/data-folder.ts';
import { StartupError } from '../../../local/stack/startup-error.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tenantry-data-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const modeOf = (path: string): number => statSync(path).mode & 0o777;
const write = (name: string, text = ''): void => writeFileSync(join(folder, name), text);

describe('a folder is taken for data', () => {
  test('when it is missing, with those above it', async () => {
    const path = join(folder, 'a/b');
    await (await openDataFolder(path)).release();
    expect(modeOf(path)).toBe(0o711);
    expect(readdirSync(path)).toContain('tenantry.json');
  });

  test('when it is empty, and then again, whatever has come into it', async () => {
    await (await openDataFolder(folder)).release();
    write('notes.txt', 'mine');
    await (await openDataFolder(folder)).release();
    expect(readFileSync(join(folder, 'notes.txt'), 'utf8')).toBe('mine');
  });

  test('when an earlier version made it, which left no marker', async () => {
    write('issuer.json');
    write('superuser-password');
    await (await openDataFolder(folder)).release();
    expect(readdirSync(folder)).toContain('tenantry.json');
  });
});

describe('a folder is refused, and nothing in it is changed,', () => {
  test('when it holds other files', async () => {
    mkdirSync(join(folder, 'postgres/init'), { recursive: true });
    write('postgres/init/schema.sql');
    const before = readdirSync(folder, { recursive: true });
    await expect(openDataFolder(folder)).rejects.toThrow(StartupError);
    await expect(openDataFolder(folder)).rejects.toThrow(/not a local stack's\. .*empty folder with --data DIR\.$/);
    expect(readdirSync(folder, { recursive: true })).toEqual(before);
  });

  test.each(['', '{"name":"somebody else’s"}', '{"content":"data of the local stack","format":2}'])(
    'when its marker is %j',
    async (text) => {
      write('tenantry.json', text);
      await expect(openDataFolder(folder)).rejects.toThrow(/tenantry\.json is damaged .*--data DIR\.$/);
      expect(readdirSync(folder)).toEqual(['tenantry.json']);
    },
  );

  test.runIf(process.platform === 'linux')('when its file system makes no folders', async () => {
    await expect(openDataFolder('/proc/tenantry/data')).rejects.toThrow(/\/proc\/tenantry\/data cannot be written/);
  });
});

test('nobody else can write to the folder, or look into logs and cache', async () => {
  chmodSync(folder, 0o777);
  mkdirSync(join(folder, 'tenantry-parent'));
  const path = join(folder, 'tenantry-parent');
  chmodSync(path, 0o777);
  const data = await openDataFolder(path);
  chmodSync(data.file('redis'), 0o755);
  await data.release();
  await (await openDataFolder(path)).release();
  expect(modeOf(path)).toBe(0o755);
  expect([modeOf(data.file('logs')), modeOf(data.file('redis'))]).toEqual([0o700, 0o700]);
});

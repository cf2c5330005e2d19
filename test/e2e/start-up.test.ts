import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { makePassableFolder } from '../helpers/passable-folder.ts';
import { readStackFile, runDev, stopDev } from '../helpers/stack.ts';
import { isRoot, needsRoot, pathWithoutUserNamespaces } from '../helpers/other-users.ts';

let folder: string;

beforeEach(async () => {
  folder = await makePassableFolder('tenantry-start-');
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const exists = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** Processes whose command line or environment names the folder: databases by the one, functions by the other. */
async function processesOf(dataDir: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['axeww', '-o', 'pid,command'], { maxBuffer: 64 * 1024 * 1024 });
  return stdout.split('\n').filter((line) => line.includes(dataDir));
}

describe('a start that cannot succeed ends with a clear line', () => {
  test('when the port is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const run = runDev(folder, { port });
    expect(await run.ended).toBe(1);
    expect(run.output()).toMatch(new RegExp(`^Port ${port} is in use\\. .*--port`, 'm'));
    other.close();
  });

  test('when the data folder cannot be written', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    const run = runDev(join(file, 'data'));
    expect(await run.ended).toBe(1);
    expect(run.output()).toMatch(/^The data folder .* cannot be written \(ENOTDIR\)\. .*--data/m);
  });

  test('when the data folder holds somebody’s files, all of which stay', async () => {
    await mkdir(join(folder, 'postgres/init'), { recursive: true });
    await mkdir(join(folder, 'assembly'));
    await writeFile(join(folder, 'postgres/init/schema.sql'), 'x');
    await writeFile(join(folder, 'assembly/mine.txt'), 'y');
    const run = runDev(folder);
    expect(await run.ended).toBe(1);
    expect(run.output()).toMatch(/^.* holds files that are not a local stack's\. .*--data/m);
    expect(await readFile(join(folder, 'postgres/init/schema.sql'), 'utf8')).toBe('x');
    expect(await readFile(join(folder, 'assembly/mine.txt'), 'utf8')).toBe('y');
  });

  test('when REDIS_URL does not answer', async () => {
    const run = runDev(folder, { env: { REDIS_URL: 'redis://127.0.0.1:1' } });
    expect(await run.ended).toBe(1);
    expect(run.output()).toMatch(/^REDIS_URL names .* does not answer/m);
    expect(run.output()).not.toContain('    at ');
  });

  test('when another stack uses the data folder', async () => {
    const run = runDev(inject('stack').dataDir);
    expect(await run.ended).toBe(1);
    expect(run.output()).toMatch(/^A stack is running in .* already \(process \d+\)/m);
  });

  test('when root’s database cannot reach its folder', async ({ skip }) => {
    skip(!isRoot, needsRoot);
    const [bin, closed] = [join(folder, 'bin'), join(folder, 'closed')];
    await mkdir(bin);
    await mkdir(closed, { mode: 0o700 });
    const run = runDev(join(closed, 'data'), { env: { PATH: await pathWithoutUserNamespaces(bin) } });
    expect(await run.ended).toBe(1);
    const [last = ''] = run.output().trim().split('\n').slice(-1);
    expect(last).toMatch(/^Postgres .*cannot pass through .*closed\. /);
    expect(run.output()).not.toContain('    at ');
  });

  test('when Node is too old', async () => {
    const launcher = await readFile('local/run.cjs', 'utf8');
    const pretend = `Object.defineProperty(process.versions, 'node', { value: '20.1.0' });\n${launcher}`;
    await writeFile(join(folder, 'old.cjs'), pretend);
    const failed = await promisify(execFile)(process.execPath, [join(folder, 'old.cjs'), 'dev']).catch(
      (error: unknown) => error,
    );
    expect(failed).toMatchObject({ code: 1, stderr: expect.stringMatching(/^Node 20\.1\.0 is too old: .*24/) });
  });

  test('when an argument is unknown or wrong', async () => {
    const failed = await promisify(execFile)(process.execPath, ['local/run.cjs', 'dev', '--port', 'x']).catch(
      (error: unknown) => error,
    );
    expect(failed).toMatchObject({ code: 1, stderr: expect.stringContaining('x is not a port.') });
  });

  test('when a token is asked for before any stack was started', async () => {
    const command = ['local/run.cjs', 'token', 'acme', '--data', folder];
    const failed = await promisify(execFile)(process.execPath, command).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('npm run dev') });
  });
});

describe('a stack that ends', () => {
  test('stops all its processes when it is asked to, and exits with 0', async () => {
    const run = runDev(folder);
    await run.ready;
    const running = await processesOf(folder);
    expect(running.join('\n')).toMatch(/postgres -D/);
    expect(running.join('\n')).toMatch(/lambda\/worker\.ts/);
    expect(await stopDev(run)).toBe(0);
    expect(await processesOf(folder)).toEqual([]);
    await expect(readStackFile(folder)).rejects.toThrow('ENOENT');
  });

  test('leaves no process when it is killed, and the next start takes up what was there', async () => {
    const killed = runDev(folder);
    const url = await killed.ready;
    const command = ['local/run.cjs', 'token', 'acme', '--data', folder];
    const { stdout } = await promisify(execFile)(process.execPath, command);
    const headers = { Authorization: `Bearer ${stdout.trim()}`, 'Content-Type': 'application/json' };
    const body = JSON.stringify({ name: 'Kept' });
    expect((await fetch(`${url}/projects`, { method: 'POST', headers, body })).status).toBe(201);
    killed.child.kill('SIGKILL');
    await killed.ended;
    for (let tries = 0; tries < 100 && (await processesOf(folder)).length > 0; tries += 1) await sleep(100);
    expect(await processesOf(folder)).toEqual([]);

    const next = runDev(folder);
    const nextUrl = await next.ready;
    const answer = await fetch(`${nextUrl}/projects`, { headers });
    expect(await answer.json()).toMatchObject({ items: [{ name: 'Kept' }] });
    expect(await stopDev(next)).toBe(0);
  });

  test('with its database, which somebody ends, says so and fails', async () => {
    const run = runDev(folder);
    await run.ready;
    const [cluster = ''] = await readdir(join(folder, 'postgres'));
    const [pid] = (await readFile(join(folder, 'postgres', cluster, 'postmaster.pid'), 'utf8')).split('\n');
    process.kill(Number(pid), 'SIGKILL');
    expect(await run.ended).toBe(1);
    expect(run.output()).toMatch(/^Postgres ended unexpectedly \(signal SIGKILL\), .*"npm run dev" again\.$/m);
    expect(await processesOf(folder)).toEqual([]);
  });

  test('stops cleanly in the middle of its start', async () => {
    const run = runDev(folder);
    // It has begun with something, and is not yet ready.
    await expect.poll(() => run.output(), { timeout: 30_000, interval: 20 }).toMatch(/[…✓]/);
    expect(run.output()).not.toMatch(/^ready/m);
    expect(await stopDev(run)).toBe(0);
    expect(exists(run.child.pid ?? 0)).toBe(false);
    expect(await processesOf(folder)).toEqual([]);
  });
});

test('nobody else can reach the code that a stack runs, its cache, or its logs', async () => {
  const { dataDir } = inject('stack');
  const names = ['assembly', 'logs', 'redis', 'postgres'];
  const modes = await Promise.all(names.map(async (name) => (await stat(join(dataDir, name))).mode & 0o777));
  expect(modes).toEqual([0o700, 0o700, 0o700, 0o711]);
});

test('a damaged template is named, and synthesized again when somebody deletes the folder', async () => {
  const first = runDev(folder);
  await first.ready;
  await stopDev(first);
  await writeFile(join(folder, 'assembly/manifest.json'), '');
  const second = runDev(folder);
  expect(await second.ended).toBe(1);
  expect(second.output()).toMatch(/manifest\.json is damaged .*Delete the folder .*assembly,/);
  await rm(join(folder, 'assembly'), { recursive: true });
  const third = runDev(folder);
  await third.ready;
  expect(third.output()).toContain('(synthesized)');
  await stopDev(third);
});

import { execFile } from 'node:child_process';
import { describe, expect, test } from 'vitest';

const commands = { dev: ['local/run.cjs', 'dev'], token: ['local/run.cjs', 'token'], bench: ['bench/main.ts'] };

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: keyof typeof commands, args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [...commands[command], ...args], { timeout: 20_000 }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

describe.each(['dev', 'token', 'bench'] as const)('%s', (command) => {
  test.each(['--help', '-h'])('answers %s with its usage', async (flag) => {
    const { code, stdout, stderr } = await run(command, [flag]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^usage: npm run /);
  });
});

describe('a mistake is told in two lines, the second of which is the usage:', () => {
  test.each([
    ['dev', ['--nosuch'], "Unknown option '--nosuch'"],
    ['dev', ['--data', ''], '--data needs a value.'],
    ['dev', ['--port', ''], '--port needs a value.'],
    ['dev', ['extra'], "Unexpected argument 'extra'"],
    ['token', [], 'Name one tenant.'],
    ['token', [''], '"" is no tenant id'],
    ['token', ['ACME'], '"ACME" is no tenant id'],
    ['token', ['acme', '--user', ''], '--user needs a value.'],
    ['token', ['acme', '--role', 'a', '--role', ''], '--role needs a value.'],
    ['token', ['acme', '--data', ''], '--data needs a value.'],
    ['bench', ['--nosuch'], "Unknown option '--nosuch'"],
    ['bench', ['nosuch'], 'There is no benchmark nosuch.'],
    ['bench', ['--json'], "Option '--json <value>' argument missing"],
    ['bench', ['calls', '--json', ''], '--json needs a value.'],
    ['bench', ['calls', '--json', '/nonexistent/x'], '/nonexistent/x cannot be written (ENOENT).'],
  ] as const)('%s %j', async (command, args, message) => {
    const { code, stdout, stderr } = await run(command, args);
    const [first = '', usage = '', ...more] = stderr.trimEnd().split('\n');
    expect(code).toBe(command === 'bench' ? 2 : 1);
    expect(stdout).toBe('');
    expect(first).toContain(message);
    expect(usage).toMatch(/^usage: npm run /);
    expect(more).toEqual([]);
  });
});

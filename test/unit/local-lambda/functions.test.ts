import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FunctionDefinition } from '../../../local/lambda/definition.ts';
import { EventTooLargeError, FunctionPool, type PoolOptions } from '../../../local/lambda/function-pool.ts';

let folder: string;
let log: string;
let crashes: string[];
const pools: FunctionPool[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tenantry-function-'));
  log = '';
  crashes = [];
});
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.stop()));
  rmSync(folder, { recursive: true });
});

/** A function whose bundle is `code`. */
function functionOf(
  code: string,
  overrides: Partial<FunctionDefinition> = {},
  limits: Partial<Pick<PoolOptions, 'maxProcesses' | 'idleMs'>> = {},
): FunctionPool {
  writeFileSync(join(folder, 'index.mjs'), code);
  const pool = new FunctionPool({
    definition: {
      arn: 'arn:aws:lambda:eu-central-1:111122223333:function:greeter',
      name: 'greeter',
      folder,
      handler: 'index.handler',
      timeoutSeconds: 5,
      memoryMegabytes: 256,
      region: 'eu-central-1',
      environment: { GREETING: 'hello' },
      reservedConcurrency: undefined,
      ...overrides,
    },
    endpoints: { AWS_ENDPOINT_URL_RDS_DATA: 'http://127.0.0.1:1234' },
    maxProcesses: 2,
    ...limits,
    log: (text) => (log += text),
    onCrash: (reason) => crashes.push(reason),
  });
  pools.push(pool);
  return pool;
}

/** What the functions of these tests answer, or Lambda for them. */
interface Value {
  readonly left: number;
  readonly env: object;
  readonly pid: number;
  readonly most: number;
  readonly calls: number;
  readonly errorMessage: string;
  readonly trace: readonly string[];
}

const answer = async (pool: FunctionPool, event: unknown = {}): Promise<{ value: Value; isError: boolean }> => {
  const { payload, isError } = await pool.invoke(event);
  return { value: JSON.parse(payload) as Value, isError };
};

describe('a function', () => {
  test('finds its event, the context and only its own environment', async () => {
    const pool = functionOf(`export const handler = async (event, context) => ({
      event, name: context.functionName, arn: context.invokedFunctionArn, memory: context.memoryLimitInMB,
      left: context.getRemainingTimeInMillis(), env: process.env, id: context.awsRequestId });`);
    const { value } = await answer(pool, { n: 1 });
    expect(value).toMatchObject({
      event: { n: 1 },
      name: 'greeter',
      arn: 'arn:aws:lambda:eu-central-1:111122223333:function:greeter',
      memory: '256',
      env: {
        GREETING: 'hello',
        AWS_REGION: 'eu-central-1',
        AWS_LAMBDA_FUNCTION_NAME: 'greeter',
        _HANDLER: 'index.handler',
        AWS_ENDPOINT_URL_RDS_DATA: 'http://127.0.0.1:1234',
      },
    });
    expect(value.left).toBeGreaterThan(3_000);
    expect(value.left).toBeLessThanOrEqual(5_000);
    expect(Object.keys(value.env)).not.toContain('npm_lifecycle_event');
    expect(Object.keys(value.env)).not.toContain('VITEST');
  });

  test('stays warm, and never answers two events at once', async () => {
    const pool = functionOf(`let calls = 0, now = 0, most = 0;
      export const handler = async () => {
        calls += 1; now += 1; most = Math.max(most, now);
        await new Promise((resolve) => setTimeout(resolve, 20));
        now -= 1;
        return { calls, most, pid: process.pid };
      };`);
    const results = await Promise.all(Array.from({ length: 8 }, () => answer(pool)));
    expect(new Set(results.map(({ value }) => value.pid)).size).toBe(2);
    expect(results.every(({ value }) => value.most === 1)).toBe(true);
    const later = await answer(pool);
    expect(later.value.calls).toBeGreaterThan(1);
  });

  test('gets its output into the log', async () => {
    await answer(
      functionOf(`export const handler = async () => { console.log('printed'); console.error('shouted'); };`),
    );
    await expect.poll(() => log).toMatch(/printed/);
    await expect.poll(() => log).toMatch(/shouted/);
    expect(log).toMatch(/REPORT RequestId: [\w-]+\tDuration: /);
  });

  test('that answers nothing answers null', async () => {
    expect(await answer(functionOf('export const handler = () => undefined;'))).toEqual({
      value: null,
      isError: false,
    });
  });
});

describe('an error is reported as Lambda reports it', () => {
  test('when the handler throws; the process is used again', async () => {
    const pool = functionOf(`export const handler = async (event) => {
      if (event.fail) throw new RangeError('out of range'); return process.pid; };`);
    const first = await answer(pool);
    const { value, isError } = await answer(pool, { fail: true });
    expect(isError).toBe(true);
    expect(value).toMatchObject({ errorType: 'RangeError', errorMessage: 'out of range' });
    expect(value.trace.join('\n')).toContain('index.mjs');
    expect((await answer(pool)).value).toBe(first.value);
    expect(crashes).toEqual([]);
  });

  test.each([
    ['is in a callback', 'setTimeout(() => { throw new Error("late"); })', 'Error'],
    ['is a rejection that nobody handles', 'Promise.reject(new Error("late"))', 'Runtime.UnhandledPromiseRejection'],
    ['is the end of the process', 'process.exit(3)', 'Runtime.ExitError'],
  ])('when it %s; the next event finds a new process', async (_name, fault, errorType) => {
    const pool = functionOf(`export const handler = async (event) => {
      if (!event.fail) return process.pid;
      ${fault}; await new Promise((resolve) => setTimeout(resolve, 2_000)); };`);
    const before = await answer(pool);
    expect(await answer(pool, { fail: true })).toMatchObject({ isError: true, value: { errorType } });
    const after = await answer(pool);
    expect(after.isError).toBe(false);
    expect(after.value).not.toBe(before.value);
    expect(crashes).toHaveLength(1);
  });

  test('when it takes too long, even in a loop that never yields', async () => {
    const pool = functionOf('export const handler = (event) => { while (event.loop); return 1; };', {
      timeoutSeconds: 0.2,
    });
    const { value } = await answer(pool, { loop: true });
    expect(value).toMatchObject({ errorType: 'Sandbox.Timedout' });
    expect(value.errorMessage).toMatch(/^RequestId: [\w-]+ Error: Task timed out after 0\.20 seconds$/);
    expect((await answer(pool)).value).toBe(1);
  });

  test.each([
    ['throws', 'throw new Error("no configuration"); export const handler = () => 1;', 'no configuration'],
    ['is no JavaScript', 'export const handler = (', 'Unexpected end of input'],
    ['has no handler', 'export const other = () => 1;', 'index.handler is undefined'],
    ['has a handler with a callback', 'export const handler = (event, context, callback) => 1;', 'callback'],
  ])('when the module %s', async (_name, code, message) => {
    const pool = functionOf(code);
    expect(await pool.warm()).toContain(message);
    const { value, isError } = await answer(pool);
    expect(isError).toBe(true);
    expect(value.errorMessage).toContain(message);
    expect(crashes).toEqual([expect.stringContaining(message)]);
  });

  test('when event or answer is larger than 6 MB', async () => {
    const pool = functionOf('export const handler = (event) => "x".repeat(event.length);');
    await expect(pool.invoke({ text: 'x'.repeat(6 * 1024 * 1024) })).rejects.toThrow(EventTooLargeError);
    expect(await answer(pool, { length: 6 * 1024 * 1024 })).toMatchObject({
      isError: true,
      value: { errorType: 'Function.ResponseSizeTooLarge' },
    });
  });
});

test('stopping ends every process', async () => {
  const pool = functionOf('export const handler = () => ({ pid: process.pid });');
  const { pid } = (await answer(pool)).value;
  await pool.stop();
  await sleep(10);
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('processes that stay idle after a burst end, but for one', async () => {
  const code =
    'export const handler = () => new Promise((resolve) => setTimeout(() => resolve({ pid: process.pid }), 300));';
  const pool = functionOf(code, {}, { maxProcesses: 3, idleMs: 200 });
  const burst = await Promise.all([answer(pool), answer(pool), answer(pool)]);
  const pids = burst.map(({ value }) => value.pid);
  expect(new Set(pids).size).toBe(3);
  await expect.poll(() => pids.filter(isRunning), { timeout: 5_000 }).toHaveLength(1);
  await sleep(400);
  expect(pids.filter(isRunning)).toEqual([(await answer(pool)).value.pid]);
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InvokeCommand, type InvokeCommandInput } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { operationStarterOf } from '../../../shared/control/operation-starter.ts';
import { startTestLambda, type TestLambda } from '../../helpers/lambda.ts';

/** Notes each run of its second step, which fails until it has been tried `failures` times. */
const code = `import { appendFileSync } from 'node:fs';
import { createRetryStrategy, withDurableExecution } from '@aws/durable-execution-sdk-js';
export const handler = withDurableExecution(async (event, context) => {
  const first = await context.step('first', async () => { appendFileSync('../runs', event.operationId + ' first\\n'); return 1; });
  let left = event.failures ?? 0;
  const retryStrategy = createRetryStrategy({ maxAttempts: event.attempts ?? 3, initialDelay: { seconds: 1 } });
  const second = await context.step('second', async (step) => {
    appendFileSync('../runs', event.operationId + ' second\\n');
    tries[event.operationId] = (tries[event.operationId] ?? 0) + 1;
    if (tries[event.operationId] <= left) throw new Error('not yet');
    return tries[event.operationId];
  }, { retryStrategy });
  return { first, second, pid: process.pid };
});
const tries = {};`;

let lambda: TestLambda;
beforeAll(async () => {
  const DurableConfig = { ExecutionTimeout: 60, RetentionPeriodInDays: 1 };
  lambda = await startTestLambda([{ name: 'operations', code, properties: { Timeout: 1, DurableConfig } }]);
});
afterAll(() => lambda[Symbol.asyncDispose]());

const invoke = (event: object, input: Partial<InvokeCommandInput> = {}) =>
  lambda.client.send(new InvokeCommand({ FunctionName: 'operations:live', Payload: JSON.stringify(event), ...input }));
const runs = (): string[] => readFileSync(join(lambda.folder, 'runs'), 'utf8').split('\n');
const timesOf = (line: string): number => runs().filter((run) => run === line).length;

test('a durable function runs to the end of its execution, beyond the timeout of an invocation, and repeats no step that was done', async () => {
  const answer = await invoke({ operationId: 'patient', failures: 2 });
  expect(JSON.parse(answer.Payload?.transformToString() ?? '')).toMatchObject({ first: 1, second: 3 });
  expect(answer.FunctionError).toBeUndefined();
  expect([timesOf('patient first'), timesOf('patient second')]).toEqual([1, 3]);
});

test('an execution that fails says why', async () => {
  const answer = await invoke({ operationId: 'lost', failures: 9, attempts: 1 });
  expect(answer.FunctionError).toBe('Unhandled');
  expect(JSON.parse(answer.Payload?.transformToString() ?? '')).toMatchObject({ errorMessage: 'not yet' });
});

describe('the name of an execution', () => {
  const named = (name: string, more: object = {}): Promise<{ DurableExecutionArn?: string | undefined }> =>
    invoke({ operationId: name, ...more }, { DurableExecutionName: name, InvocationType: 'Event' });

  test('stands for one execution, while it runs and after it has ended', async () => {
    const [one, two] = await Promise.all([named('single', { failures: 1 }), named('single', { failures: 1 })]);
    expect(one.DurableExecutionArn).toMatch(/:function:operations:live\/durable-execution\/single\/[\w-]+$/);
    expect(two.DurableExecutionArn).toBe(one.DurableExecutionArn);
    await vi.waitFor(() => expect(timesOf('single second')).toBe(2), 10_000);
    // Waits for the end of that same execution.
    const again = await invoke({ operationId: 'single', failures: 1 }, { DurableExecutionName: 'single' });
    expect(again.DurableExecutionArn).toBe(one.DurableExecutionArn);
    expect(timesOf('single first')).toBe(1);
  });

  test('is kept by an execution that has failed: another one takes another name', async () => {
    const start = { operationId: 'broken', failures: 1, attempts: 1 };
    const failed = await invoke(start, { DurableExecutionName: 'broken' });
    expect(failed.FunctionError).toBe('Unhandled');
    const again = await invoke(start, { DurableExecutionName: 'broken' });
    expect([again.FunctionError, again.DurableExecutionArn]).toEqual(['Unhandled', failed.DurableExecutionArn]);
    expect(timesOf('broken second')).toBe(1);
    await invoke(start, { DurableExecutionName: 'broken-1' });
    expect(timesOf('broken second')).toBe(2);
  });

  test('is refused with another payload', async () => {
    await named('taken');
    await expect(named('taken', { failures: 1 })).rejects.toMatchObject({
      name: 'DurableExecutionAlreadyStartedException',
    });
  });
});

test('executions run side by side, and more than there are processes wait for their turn', async () => {
  const answers = await Promise.all(
    Array.from({ length: 6 }, (_, n) => invoke({ operationId: `many${n}`, failures: 1 })),
  );
  const pids = answers.map(({ Payload }) => (JSON.parse(Payload?.transformToString() ?? '') as { pid: number }).pid);
  expect(answers.filter(({ FunctionError }) => FunctionError !== undefined)).toEqual([]);
  expect(new Set(pids).size).toBeLessThanOrEqual(4);
  expect(new Set(pids).size).toBeGreaterThan(1);
});

test('a durable function needs a version or an alias, as on AWS', async () => {
  await expect(invoke({}, { FunctionName: 'operations' })).rejects.toMatchObject({
    name: 'InvalidParameterValueException',
    message: 'You cannot invoke a durable function using an unqualified ARN.',
  });
});

test('an operation is started once, however often that is asked for', async () => {
  const starter = operationStarterOf(lambda.client, `${lambda.arnOf('operations')}:live`);
  await Promise.all([starter.start('op'), starter.start('op')]);
  await starter.start('op', 'op-1');
  await vi.waitFor(() => expect(timesOf('op first')).toBe(2), 10_000);
});

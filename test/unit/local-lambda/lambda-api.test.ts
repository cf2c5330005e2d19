import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InvokeCommand, type InvokeCommandInput } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startTestLambda, type TestLambda } from '../../helpers/lambda.ts';

const echo = `export const handler = async (event) => {
  if (event.fail) throw new TypeError('no');
  return { event };
};`;
/** Notes each run in the folder above its own, and fails. */
const failing = `import { appendFileSync } from 'node:fs';
export const handler = async (event) => {
  appendFileSync('../runs', event.id + '\\n');
  if (event.times === undefined || --event.times >= 0) throw new Error('always');
};`;

let lambda: TestLambda;
beforeAll(async () => {
  const noRetries = { FunctionName: 'once', Qualifier: '$LATEST', MaximumRetryAttempts: 0 };
  lambda = await startTestLambda(
    [
      { name: 'echo', code: echo },
      { name: 'failing', code: failing },
      { name: 'once', code: failing },
    ],
    { more: { Config: { Type: 'AWS::Lambda::EventInvokeConfig', Properties: noRetries } } },
  );
});
afterAll(() => lambda[Symbol.asyncDispose]());

const invoke = (FunctionName: string, input: Omit<Partial<InvokeCommandInput>, 'FunctionName'> = {}) =>
  lambda.client.send(new InvokeCommand({ FunctionName, ...input }));
const runsOf = (id: string): number =>
  readFileSync(join(lambda.folder, 'runs'), 'utf8')
    .split('\n')
    .filter((line) => line === id).length;

describe('an invocation whose answer is waited for', () => {
  test('gets it, by name or ARN, with a version, an alias or neither', async () => {
    const references = ['echo', lambda.arnOf('echo'), 'echo:1', 'echo:live', `${lambda.arnOf('echo')}:$LATEST`];
    for (const reference of references) {
      const answer = await invoke(reference, { Payload: JSON.stringify({ n: 1 }) });
      expect(answer).toMatchObject({ StatusCode: 200 });
      expect(answer.Payload?.transformToString()).toBe('{"event":{"n":1}}');
      expect(answer.FunctionError).toBeUndefined();
    }
    expect((await invoke('echo', { Qualifier: 'live' })).ExecutedVersion).toBe('live');
  });

  test('gets the function’s error as an answer that says so', async () => {
    const answer = await invoke('echo', { Payload: JSON.stringify({ fail: true }) });
    expect(answer).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled' });
    expect(JSON.parse(answer.Payload?.transformToString() ?? '')).toMatchObject({
      errorType: 'TypeError',
      errorMessage: 'no',
    });
  });
});

describe('an event', () => {
  test('is taken at once, and tried three times in all before it is given up', async () => {
    const answer = await invoke('failing', { InvocationType: 'Event', Payload: JSON.stringify({ id: 'thrice' }) });
    expect(answer.StatusCode).toBe(202);
    await vi.waitFor(
      () => expect(lambda.givenUp).toContainEqual(expect.stringMatching(/^failing failed.*Error: always/)),
      10_000,
    );
    expect(runsOf('thrice')).toBe(3);
  });

  test('is not tried again where the template says so', async () => {
    await lambda.api.invokeEvent(lambda.arnOf('once'), { id: 'once' });
    expect(runsOf('once')).toBe(1);
  });
});

describe('a request is refused', () => {
  const big = (bytes: number): string => JSON.stringify('x'.repeat(bytes));
  test.each<[string, string, Omit<Partial<InvokeCommandInput>, 'FunctionName'>]>([
    ['ResourceNotFoundException', 'nobody', {}],
    ['ResourceNotFoundException', 'echo:2', {}],
    ['InvalidParameterValueException', 'not a name', {}],
    ['InvalidParameterValueException', 'echo:1', { Qualifier: 'live' }],
    ['InvalidParameterValueException', 'echo', { DurableExecutionName: 'a' }],
    ['InvalidParameterValueException', 'echo', { InvocationType: 'DryRun' }],
    ['InvalidParameterValueException', 'echo', { LogType: 'Tail' }],
    ['InvalidRequestContentException', 'echo', { Payload: '{' }],
    ['RequestTooLargeException', 'echo', { Payload: big(6 * 1024 * 1024) }],
    ['RequestTooLargeException', 'echo', { Payload: big(1024 * 1024), InvocationType: 'Event' }],
  ])('as %s: %s %o', async (name, reference, input) => {
    await expect(invoke(reference, input)).rejects.toMatchObject({ name });
  });
});

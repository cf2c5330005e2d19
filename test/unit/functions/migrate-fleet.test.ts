import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { LocalDurableTestRunner } from '@aws/durable-execution-sdk-js-testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { beginRun, handOver } from '../../../shared/fleet/index.ts';
import { migrateFleetFunction } from '../../../functions/migrate-fleet/durable-function.ts';
import { goOnVia } from '../../../functions/migrate-fleet/runner.ts';
import { startTestLambda, type TestLambda } from '../../helpers/lambda.ts';

/** Comes one further each time it is asked, to the end or to a failure, and notes what it was asked. */
const runner = `import { appendFileSync } from 'node:fs';
export const handler = async ({ action, progress }) => {
  appendFileSync('../runs', action + ' ' + progress.after + '\\n');
  const [tenant, number] = progress.after.split('-');
  if (tenant === 'doomed') throw Object.assign(new Error('1 of 2 migrated, 1 failed.'), { name: 'FleetError' });
  if (tenant === 'shaky' && !(shaken ^= 1)) throw new Error('The connection was lost.');
  return { ...progress, after: tenant + '-' + (Number(number) + 1), phase: number === '2' ? 'done' : 'silos' };
};
let shaken = 1;`;

/** Stands for the function that is handed a fleet, and notes it. */
const recorder = `import { appendFileSync } from 'node:fs';
import { withDurableExecution } from '@aws/durable-execution-sdk-js';
export const handler = withDurableExecution(async (event) => appendFileSync('../runs', JSON.stringify(event) + '\\n'));`;

let lambda: TestLambda;
beforeAll(async () => {
  await LocalDurableTestRunner.setupTestEnvironment({ skipTime: true });
  lambda = await startTestLambda([
    { name: 'migrate', code: runner },
    {
      name: 'recorder',
      code: recorder,
      properties: { DurableConfig: { ExecutionTimeout: 60, RetentionPeriodInDays: 1 } },
    },
  ]);
});
afterAll(async () => {
  await lambda[Symbol.asyncDispose]();
  await LocalDurableTestRunner.teardownTestEnvironment();
});

const runs = (): string[] => readFileSync(join(lambda.folder, 'runs'), 'utf8').split('\n');
const run = async (after: string) => {
  const handlerFunction = migrateFleetFunction(goOnVia(lambda.client), 3);
  const payload = { functionName: 'migrate', progress: { ...beginRun(), phase: 'silos', after } };
  return new LocalDurableTestRunner({ handlerFunction }).run({ payload });
};

test('the runner is asked to go on from where it came to, until it is done', async () => {
  expect((await run('whole-0')).getStatus()).toBe('SUCCEEDED');
  expect(runs().filter((line) => line.includes('whole'))).toEqual([0, 1, 2].map((n) => `continue whole-${n}`));
});

test('a fault of the way is tried again, from the same place', async () => {
  expect((await run('shaky-1')).getStatus()).toBe('SUCCEEDED');
  expect(runs().filter((line) => line.includes('shaky'))).toEqual([1, 1, 2, 2].map((n) => `continue shaky-${n}`));
});

test('what became of the fleet is not asked again: the execution fails with it', async () => {
  const execution = await run('doomed-0');
  expect(execution.getStatus()).toBe('FAILED');
  expect(execution.getError().errorMessage).toContain('1 of 2 migrated, 1 failed.');
  expect(runs().filter((line) => line.includes('doomed'))).toHaveLength(1);
});

test('a deployment hands over how far it has come, and who goes on with it, and is heard once', async () => {
  const begun = beginRun();
  const fleet = { fleetFunctionArn: `${lambda.arnOf('recorder')}:live`, functionName: 'migrate' };
  const payload = JSON.stringify({ functionName: 'migrate', progress: begun });
  await handOver(lambda.client, fleet, begun);
  await vi.waitFor(() => expect(runs()).toContain(payload), 10_000);
  await handOver(lambda.client, fleet, begun);
  // Waits for the end of the execution of that name.
  const { fleetFunctionArn: FunctionName } = fleet;
  await lambda.client.send(new InvokeCommand({ FunctionName, DurableExecutionName: begun.run, Payload: payload }));
  expect(runs().filter((line) => line === payload)).toHaveLength(1);
});

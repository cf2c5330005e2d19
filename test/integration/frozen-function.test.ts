import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestDataApi, type TestDataApi } from '../helpers/data-api.ts';

/** Node's servers close connections that have been idle for 5 s, and a second of grace. */
const standstillMs = 7_000;

let api: TestDataApi;
beforeAll(async () => {
  api = await startTestDataApi();
});
afterAll(() => api[Symbol.asyncDispose]());

test('a write is not sent into a connection that was closed while the function stood still', async () => {
  const { resourceArn, secretArn, database } = api.target;
  const args = ['test/helpers/children/frozen-writer.ts', resourceArn, secretArn, database, String(standstillMs)];
  const env = {
    ...process.env,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_RDS_DATA: api.api.url,
  };
  await promisify(execFile)(process.execPath, args, { env });
  expect(api.api.calls.ExecuteStatement).toBe(4);
});

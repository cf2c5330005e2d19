import { afterAll, beforeAll, expect, it } from 'vitest';
import { tenantDatabasesVia } from '../../../shared/control/tenant-databases.ts';
import { type TestLambda, startTestLambda } from '../../helpers/lambda.ts';

const code = `export const handler = async ({ action, tenantId, turn }) => {
  if (action === 'make') return { secretArn: 'arn:of:' + tenantId + ' in turn ' + turn.turn };
  throw new RangeError('The database refused.\\nmore ' + 'x'.repeat(400));
};`;
const silent = `export const handler = async () => { throw null; };`;

let lambda: TestLambda;
beforeAll(async () => {
  lambda = await startTestLambda([
    { name: 'migrate', code },
    { name: 'silent', code: silent },
  ]);
});
afterAll(() => lambda[Symbol.asyncDispose]());

const home = {
  tenantId: 'acme',
  placement: { model: 'silo', cluster: 'silos', database: 't_acme', schema: 't_acme' },
  operationId: '0190a0a0-0000-7000-8000-000000000000',
  turn: 7,
} as const;

it('a database is made by the function, which is told in which turn, and says where its login is', async () => {
  await expect(tenantDatabasesVia(lambda.client, 'migrate').make(home)).resolves.toBe('arn:of:acme in turn 7');
});

it('a failure says what was to be done, which function was to do it, and the first line of why it could not', async () => {
  await expect(tenantDatabasesVia(lambda.client, 'migrate').drop(home)).rejects.toMatchObject({
    code: 'internal',
    message:
      'The function migrate could not drop the database t_acme on the cluster silos. RangeError: The database refused.',
  });
  await expect(tenantDatabasesVia(lambda.client, 'silent').drop(home)).rejects.toMatchObject({ code: 'internal' });
});

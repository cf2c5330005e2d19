import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { type CommandRun, tenantCommand } from '../helpers/command.ts';
import { readStackFile } from '../helpers/stack.ts';

const migrate = (...args: readonly string[]): Promise<CommandRun> =>
  tenantCommand('migrate', '--data', inject('stack').dataDir, ...args);

let superuser: Client;

beforeEach(async () => {
  const { postgresUrl } = await readStackFile(inject('stack').dataDir);
  superuser = new Client({ connectionString: postgresUrl });
  await superuser.connect();
});
afterEach(() => superuser.end());

/** Makes a migration of a placement one that has not run. */
async function withMissing(schema: string, work: () => Promise<void>): Promise<void> {
  await superuser.query('set role tenantry_owner');
  await superuser.query('select tenancy.provision($1)', [schema]);
  try {
    await superuser.query(`drop table ${schema}.idempotency_keys`);
    await superuser.query(`delete from tenancy.migrations where target = $1 and version = '003_idempotency_keys'`, [
      schema,
    ]);
    await work();
  } finally {
    await superuser.query('select tenancy.drop_some($1, 100, 10000)', [schema]);
  }
}

describe('tenant migrate', () => {
  test('has nothing to do in a stack as it was deployed', async () => {
    const { code, stdout, stderr } = await migrate();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({ placements: 0, done: 0, failed: 0, failures: [] });
  });

  test('says what would run where, runs it, and says who has what', async () => {
    await withMissing('tenant_behind', async () => {
      const plan = JSON.parse((await migrate('--plan')).stdout) as { plan: { steps: object[] } }[];
      expect(plan).toContainEqual(
        expect.objectContaining({
          cluster: 'main',
          plan: expect.objectContaining({
            steps: [expect.objectContaining({ version: '003_idempotency_keys', first: ['tenant_behind'] })],
            canaries: ['tenant_behind'],
          }),
        }),
      );
      expect(plan.filter(({ plan: { steps } }) => steps.length > 0)).toHaveLength(1);
      expect(JSON.parse((await migrate()).stdout)).toMatchObject({ placements: 1, done: 1, failed: 0 });
      const [status] = JSON.parse((await migrate('--status')).stdout) as [{ placements: object[] }];
      expect(status.placements).toEqual(
        expect.arrayContaining(
          ['pool', 'tenant_behind'].map((placement) =>
            expect.objectContaining({ placement, version: '003_idempotency_keys' }),
          ),
        ),
      );
    });
  });

  test('exits with 1 when a placement fails, and says why', async () => {
    await withMissing('tenant_sick', async () => {
      await superuser.query('create table tenant_sick.idempotency_keys (id int)');
      const { code, stdout } = await migrate();
      expect({ code, report: JSON.parse(stdout) }).toMatchObject({
        code: 1,
        report: {
          failed: 1,
          failures: [{ placement: 'tenant_sick', version: '003_idempotency_keys', sqlstate: '42P07' }],
          stopped: 'canary',
        },
      });
      expect((await migrate('--status')).code).toBe(1);
    });
  });

  test('looks at one tenant alone, and refuses one that is nowhere', async () => {
    const { stdout } = await migrate('--status', '--tenant', 'hooli');
    expect(JSON.parse(stdout)).toMatchObject([{ placements: [{ placement: 'pool' }] }]);
    const { code, stderr } = await migrate('--tenant', 'nobody');
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'The tenant nobody is at home in no database of the stack.\n',
    });
    expect((await migrate('--plan', '--status')).code).toBe(2);
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { withDeadline } from '../../shared/database/index.ts';
import { startTenantDatabase, type TestTenantDatabase } from '../helpers/tenant-database.ts';

let api: TestTenantDatabase;
beforeAll(async () => {
  // Should a test fail, its transaction does not keep the next one from the tables.
  api = await startTenantDatabase(['acme'], { transactionIdleMs: 1_000 });
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  await api.postgres.superuser.query('truncate pool.projects, pool.tasks');
  api.calls.length = 0;
});

type Transaction = Parameters<Parameters<ReturnType<TestTenantDatabase['db']['transaction']>['execute']>[0]>[0];

/** A transaction that writes, goes on with `then`, and has a tenth of a second for it. */
const inHaste = (then: (transaction: Transaction) => Promise<unknown>) =>
  api.as('acme', () =>
    withDeadline(Date.now() + 100, () =>
      api.db.transaction().execute(async (transaction) => {
        await transaction.insertInto('projects').values({ name: 'One' }).execute();
        await then(transaction);
      }),
    ),
  );

const openTransactions = async () => {
  const { rowCount } = await api.postgres.superuser.query(
    'select from pg_stat_activity where datname = current_database() and xact_start is not null and pid <> pg_backend_pid()',
  );
  return rowCount;
};
const stored = async () => (await api.postgres.superuser.query('select from pool.projects')).rowCount;
const operations = () => api.calls.map(({ operation }) => operation);

// A machine that stands still for a tenth of a second lets the time for rolling back pass; hence another try.
describe('a transaction whose time is up is rolled back and holds no lock', { retry: 2 }, () => {
  test('when the application was slow between two statements', async () => {
    const work = inHaste(async (transaction) => {
      await sleep(150);
      await transaction.selectFrom('projects').selectAll().execute();
    });
    await expect(work).rejects.toMatchObject({ code: 'statement-timeout' });
    expect([await openTransactions(), await stored()]).toEqual([0, 0]);
    expect(operations().at(-1)).toBe('RollbackTransaction');
  });

  test('when the application failed after its time', async () => {
    const error = new Error('on purpose');
    const work = inHaste(async () => {
      await sleep(150);
      throw error;
    });
    await expect(work).rejects.toBe(error);
    expect([await openTransactions(), await stored()]).toEqual([0, 0]);
  });

  test('when a statement is still running, as soon as that has ended', async () => {
    const work = inHaste((transaction) => sql`select pg_sleep(0.12)`.execute(transaction));
    await expect(work).rejects.toMatchObject({ code: 'statement-timeout' });
    expect([await openTransactions(), await stored()]).toEqual([0, 0]);
  });

  test('when the endpoint took no call at first', async () => {
    api.server.inject({ error: 'ThrottlingException', operations: ['RollbackTransaction'] });
    const work = inHaste(() => Promise.reject(new Error('on purpose')));
    await expect(work).rejects.toThrow('on purpose');
    expect([await openTransactions(), await stored()]).toEqual([0, 0]);
    expect(operations().filter((operation) => operation === 'RollbackTransaction')).toHaveLength(2);
  });
});

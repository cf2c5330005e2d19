import {
  BatchExecuteStatementCommand,
  CommitTransactionCommand,
  ExecuteStatementCommand,
  RollbackTransactionCommand,
} from '@aws-sdk/client-rds-data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestDataApi, type TestDataApi } from '../helpers/data-api.ts';

let data: TestDataApi;
beforeAll(async () => {
  data = await startTestDataApi();
  await data.execute('create table notes (id int primary key)');
});
afterAll(() => data[Symbol.asyncDispose]());

async function has(id: number): Promise<boolean> {
  const { records } = await data.execute('select from notes where id = :id', [
    { name: 'id', value: { longValue: id } },
  ]);
  return records?.length === 1;
}
const arns = (): { resourceArn: string; secretArn: string } => {
  const { resourceArn, secretArn } = data.target;
  return { resourceArn, secretArn };
};
const commit = (transactionId: string): Promise<{ transactionStatus?: string | undefined }> =>
  data.client.send(new CommitTransactionCommand({ ...arns(), transactionId }));

describe('a transaction', () => {
  it('shows its changes to others when it is committed', async () => {
    const transactionId = await data.begin();
    await data.execute('insert into notes values (1)', [], { transactionId });
    expect(await has(1)).toBe(false);
    expect(await commit(transactionId)).toMatchObject({ transactionStatus: 'Transaction Committed' });
    expect(await has(1)).toBe(true);
  });

  it('leaves nothing when it is rolled back', async () => {
    const transactionId = await data.begin();
    await data.execute('insert into notes values (2)', [], { transactionId });
    const answer = await data.client.send(new RollbackTransactionCommand({ ...arns(), transactionId }));
    expect(answer.transactionStatus).toBe('Rollback Complete');
    expect(await has(2)).toBe(false);
  });

  it('keeps its session from call to call, and loses it at its end', async () => {
    const transactionId = await data.begin();
    await data.execute("set application_name = 'mine'", [], { transactionId });
    await data.execute('create temporary table scratch (id int)', [], { transactionId });
    const { records } = await data.execute('show application_name', [], { transactionId });
    expect(records).toEqual([[{ stringValue: 'mine' }]]);
    await commit(transactionId);
    await expect(data.execute('select * from scratch')).rejects.toThrow('does not exist');
  });

  it('runs one statement at a time', async () => {
    const transactionId = await data.begin();
    const slow = data.execute('select pg_sleep(0.5)', [], { transactionId });
    await expect.poll(() => running('select pg_sleep(0.5)')).toBe(1);
    await expect(data.execute('select 1', [], { transactionId })).rejects.toMatchObject({
      name: 'DatabaseErrorException',
      message: 'Transaction is still running a query',
    });
    await slow;
    await expect(data.execute('select 1', [], { transactionId })).resolves.toBeDefined();
    await commit(transactionId);
  });

  it('goes on after a savepoint when a statement failed', async () => {
    const transactionId = await data.begin();
    await data.execute('savepoint before', [], { transactionId });
    await expect(data.execute('select 1 / 0', [], { transactionId })).rejects.toThrow('division by zero');
    await expect(data.execute('select 1', [], { transactionId })).rejects.toThrow(/SQLState: 25P02$/);
    await data.execute('rollback to savepoint before', [], { transactionId });
    await data.execute('insert into notes values (3)', [], { transactionId });
    await commit(transactionId);
    expect(await has(3)).toBe(true);
  });

  it('cannot be committed after a statement failed', async () => {
    const transactionId = await data.begin();
    await expect(data.execute('select 1 / 0', [], { transactionId })).rejects.toThrow();
    await expect(commit(transactionId)).rejects.toMatchObject({ name: 'DatabaseErrorException' });
  });

  it('is not found when it has ended, was never begun, or belongs to another secret', async () => {
    const ended = await data.begin();
    await commit(ended);
    const notFound = { name: 'TransactionNotFoundException', $metadata: { httpStatusCode: 404 } };
    await expect(commit(ended)).rejects.toMatchObject({
      ...notFound,
      message: expect.stringContaining('One previous call resulted in a termination'),
    });
    await expect(commit('bm90aGluZw==')).rejects.toMatchObject(notFound);
    const transactionId = await data.begin();
    const foreign = { ...data.target, secretArn: `${data.target.secretArn}-other`, sql: 'select 1', transactionId };
    await expect(data.client.send(new ExecuteStatementCommand(foreign))).rejects.toMatchObject(notFound);
  });

  it('belongs to the database that it was begun in', async () => {
    const transactionId = await data.begin();
    await expect(data.execute('select 1', [], { transactionId, database: 'postgres' })).rejects.toMatchObject({
      name: 'BadRequestException',
    });
  });

  it('ends, and is rolled back, after its time without a call', async () => {
    await using hasty = await startTestDataApi({ transactionIdleMs: 100 });
    await hasty.execute('create table notes (id int)');
    const transactionId = await hasty.begin();
    await hasty.execute('insert into notes values (1)', [], { transactionId });
    const idle = `select from pg_stat_activity where datname = current_database() and state like 'idle in%'`;
    await expect.poll(async () => (await hasty.execute(idle)).records?.length).toBe(0);
    await expect(hasty.execute('select 1', [], { transactionId })).rejects.toMatchObject({
      name: 'TransactionNotFoundException',
      message: expect.stringContaining('Transaction may be expired'),
    });
    expect((await hasty.execute('select from notes')).records).toEqual([]);
  });

  it('is gone when the database ended its connection', async () => {
    const transactionId = await data.begin();
    const { records } = await data.execute('select pg_backend_pid()', [], { transactionId });
    await data.execute(`select pg_terminate_backend(${records?.[0]?.[0]?.longValue})`);
    await expect
      .poll(() => data.execute('select 1', [], { transactionId }).catch((error: unknown) => (error as Error).name))
      .toBe('TransactionNotFoundException');
  });
});

describe('a call without a transaction', () => {
  it('leaves nothing of its session to the next one', async () => {
    // With one connection, the next call has the session of the one before.
    await using single = await startTestDataApi({ connectionLimit: 1 });
    const session = 'select current_user, pg_backend_pid()';
    const { records: before } = await single.execute(session);
    await single.execute("select set_config('tenancy.capability', 'secret', false)");
    await single.execute('set role tenantry_app');
    await single.execute('create temporary table scratch (id int)');
    await single.execute('select pg_advisory_lock(42)');
    await single.execute('begin');
    expect((await single.execute(session)).records).toEqual(before);
    const left = await single.execute(
      `select current_setting('tenancy.capability', true), to_regclass('scratch')::text,
              (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid())`,
    );
    expect(left.records).toEqual([[{ stringValue: '' }, { isNull: true }, { longValue: 0 }]]);
  });

  it('may be a statement that Postgres refuses inside a transaction', async () => {
    await expect(data.execute('vacuum notes')).resolves.toBeDefined();
  });
});

describe('a batch', () => {
  const batch = (ids: readonly (number | string)[], more = {}): Promise<object> =>
    data.client.send(
      new BatchExecuteStatementCommand({
        ...data.target,
        sql: 'insert into notes values (:id)',
        parameterSets: ids.map((id) => [
          { name: 'id', value: typeof id === 'number' ? { longValue: id } : { stringValue: id } },
        ]),
        ...more,
      }),
    );

  it('runs its statement for each set of parameters', async () => {
    expect(await batch([10, 11])).toMatchObject({ updateResults: [{ generatedFields: [] }, { generatedFields: [] }] });
    expect([await has(10), await has(11)]).toEqual([true, true]);
  });

  it('does all or nothing', async () => {
    await expect(batch([12, 12])).rejects.toThrow(/SQLState: 23505$/);
    expect(await has(12)).toBe(false);
  });

  it('can be part of a transaction', async () => {
    const transactionId = await data.begin();
    await batch([13], { transactionId });
    expect(await has(13)).toBe(false);
    await commit(transactionId);
    expect(await has(13)).toBe(true);
  });

  it('runs nothing without parameter sets, and refuses statements that return rows', async () => {
    expect(await batch([], { sql: 'no statement at all' })).toMatchObject({ updateResults: [] });
    await expect(batch([14], { sql: 'select :id' })).rejects.toThrow('A result was returned when none was expected.');
  });
});

async function running(query: string): Promise<number> {
  const { rowCount } = await data.database.superuser.query(
    `select from pg_stat_activity where query = $1 and state = 'active'`,
    [query],
  );
  return rowCount ?? 0;
}

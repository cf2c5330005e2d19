import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { runWithTenant } from '../../shared/tenancy/index.ts';
import { startTenantDatabase, type TestTenantDatabase } from '../helpers/tenant-database.ts';

let api: TestTenantDatabase;
beforeAll(async () => {
  api = await startTenantDatabase(['acme', 'globex']);
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  await api.postgres.superuser.query('truncate pool.projects, pool.tasks, pool.idempotency_keys');
  api.calls.length = 0;
});

const operations = () => api.calls.map(({ operation }) => operation);
const insert = (name: string) => api.db.insertInto('projects').values({ name });
const projects = () => api.db.selectFrom('projects').select('name').orderBy('name');
const stored = async () =>
  (await api.postgres.superuser.query<{ name: string }>('select name from pool.projects order by name')).rows.map(
    ({ name }) => name,
  );

describe('a batch', () => {
  test('is one call, and answers what each query would', async () => {
    const results = await api.as('acme', () =>
      api.db.batch([
        insert('One'),
        insert('Two').returning('name'),
        projects(),
        api.db.updateTable('projects').set({ version: 2 }),
        api.db.selectFrom('projects').select(({ fn }) => fn.countAll().as('n')),
        api.db.deleteFrom('projects').where('name', '=', 'One'),
        projects().where('name', '=', 'None'),
      ]),
    );
    expect(results).toMatchObject([
      [{ numInsertedOrUpdatedRows: 1n }],
      [{ name: 'Two' }],
      [{ name: 'One' }, { name: 'Two' }],
      [{ numUpdatedRows: 2n }],
      [{ n: '2' }],
      [{ numDeletedRows: 1n }],
      [],
    ]);
    expect(operations()).toEqual(['ExecuteStatement']);
  });

  test('takes effect as a whole or not at all', async () => {
    await expect(api.as('acme', () => api.db.batch([insert('One'), insert('One')]))).rejects.toMatchObject({
      code: 'conflict',
    });
    expect(await stored()).toEqual([]);
  });

  test('of nothing makes no call', async () => {
    expect(await api.as('acme', () => api.db.batch([]))).toEqual([]);
    expect(operations()).toEqual([]);
  });

  test('of selects is read-only to the database: one that writes all the same is refused, and so cannot write twice', async () => {
    await api.postgres.owner.query(`create function pool.add_project() returns text language sql
      as $$ insert into pool.projects (name) values ('Hidden') returning id::text $$;
      grant execute on function pool.add_project to tenantry_app`);
    const hidden = api.db.selectNoFrom((eb) => eb.fn<string>('pool.add_project').as('id'));
    const batches = [[hidden], [projects(), hidden]];
    for (const queries of batches)
      await expect(api.as('acme', () => api.db.batch(queries))).rejects.toMatchObject({
        code: 'internal',
        sqlState: '25006',
      });
    expect(await api.as('acme', () => api.db.batch([projects(), projects()]))).toEqual([[], []]);
    expect(await stored()).toEqual([]);
    await api.as('acme', () => api.db.batch([insert('One'), hidden]));
    expect(await stored()).toEqual(['Hidden', 'One']);
    await api.postgres.owner.query('drop function pool.add_project');
  });

  test('holds to its tenant', async () => {
    await api.as('globex', () => api.db.batch([insert('Theirs')]));
    expect(await api.as('acme', () => api.db.batch([projects(), insert('Ours'), projects()]))).toMatchObject([
      [],
      [{}],
      [{ name: 'Ours' }],
    ]);
  });
});

describe('a transaction', () => {
  test('is begin, its statements, and commit', async () => {
    const names = await api.as('acme', () =>
      api.db.transaction().execute(async (transaction) => {
        await transaction.insertInto('projects').values({ name: 'One' }).execute();
        return transaction.selectFrom('projects').select('name').execute();
      }),
    );
    expect(names).toEqual([{ name: 'One' }]);
    expect(operations()).toEqual(['BeginTransaction', 'ExecuteStatement', 'ExecuteStatement', 'CommitTransaction']);
    expect(await stored()).toEqual(['One']);
  });

  test('is rolled back by an error, which comes out as it was', async () => {
    const error = new Error('on purpose');
    const work = api.db.transaction().execute.bind(api.db.transaction());
    await expect(
      api.as('acme', () =>
        work(async (transaction) => {
          await transaction.insertInto('projects').values({ name: 'One' }).execute();
          throw error;
        }),
      ),
    ).rejects.toBe(error);
    expect(operations()).toEqual(['BeginTransaction', 'ExecuteStatement', 'RollbackTransaction']);
    expect(await stored()).toEqual([]);
  });

  test('lets the cause through when rolling back fails too', async () => {
    const error = new Error('on purpose');
    api.server.inject({ error: 'DatabaseUnavailableException', operations: ['RollbackTransaction'] });
    const work = () => api.db.transaction().execute(() => Promise.reject(error));
    await expect(api.as('acme', work)).rejects.toBe(error);
  });

  test('runs statements one after another that were started at once', async () => {
    const names = await api.as('acme', () =>
      api.db.transaction().execute(async (transaction) => {
        const values = ['a', 'b', 'c'].map((name) => transaction.insertInto('projects').values({ name }).execute());
        await Promise.all([...values, sql`select pg_sleep(0.02)`.execute(transaction)]);
        return transaction.selectFrom('projects').select('name').orderBy('name').execute();
      }),
    );
    expect(names.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });

  test('may write after it has read, unless it is read only', async () => {
    await api.as('acme', async () => {
      await api.db.transaction().execute(async (transaction) => {
        await transaction.selectFrom('projects').selectAll().execute();
        await transaction.insertInto('projects').values({ name: 'One' }).execute();
      });
      const write = api.db
        .transaction()
        .setAccessMode('read only')
        .execute((transaction) => transaction.insertInto('projects').values({ name: 'Two' }).execute());
      await expect(write).rejects.toMatchObject({ code: 'internal', sqlState: '25006' });
    });
    expect(await stored()).toEqual(['One']);
  });

  test('refuses isolation levels under which the fence would not hold', async () => {
    const work = () =>
      api.db
        .transaction()
        .setIsolationLevel('serializable')
        .execute(() => Promise.resolve());
    await expect(api.as('acme', work)).rejects.toThrow('READ COMMITTED only, not serializable');
    expect(operations()).toEqual([]);
  });

  test('refuses to be used for another tenant', async () => {
    const work = () =>
      api.db
        .transaction()
        .execute((transaction) =>
          runWithTenant(api.context('globex'), () =>
            transaction.insertInto('projects').values({ name: 'One' }).execute(),
          ),
        );
    await expect(api.as('acme', work)).rejects.toThrow('begun for another tenant');
    expect(await stored()).toEqual([]);
  });

  test('says so when it has failed before', async () => {
    const work = () =>
      api.db.transaction().execute(async (transaction) => {
        await transaction
          .insertInto('projects')
          .values({ name: '' })
          .execute()
          .catch(() => undefined);
        await transaction.selectFrom('projects').selectAll().execute();
      });
    await expect(api.as('acme', work)).rejects.toMatchObject({ code: 'internal', sqlState: '25P02' });
  });

  test('is not committed when an error of a statement was swallowed', async () => {
    const work = () =>
      api.db.transaction().execute(async (transaction) => {
        await transaction.insertInto('projects').values({ name: 'One' }).execute();
        await transaction
          .insertInto('projects')
          .values({ name: '' })
          .execute()
          .catch(() => undefined);
      });
    await expect(api.as('acme', work)).rejects.toMatchObject({
      code: 'internal',
      cause: { code: 'constraint-violated' },
    });
    expect(operations().at(-1)).toBe('RollbackTransaction');
    expect(await stored()).toEqual([]);
  });
});

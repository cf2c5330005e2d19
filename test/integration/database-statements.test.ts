import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { NoTenantContextError } from '../../shared/tenancy/index.ts';
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

const names = () => api.calls.map(({ operation }) => operation);
const insert = (...projects: readonly string[]) =>
  api.db.insertInto('projects').values(projects.map((name) => ({ name })));

describe('a statement', () => {
  test('of each kind is one call', async () => {
    await api.as('acme', async () => {
      await insert('One', 'Two').execute();
      await api.db.selectFrom('projects').selectAll().execute();
      await api.db.updateTable('projects').set({ archived: true }).execute();
      await api.db.deleteFrom('projects').execute();
      await sql`select ${1}::int % 7 as rest`.execute(api.db);
    });
    expect(names()).toEqual(Array(5).fill('ExecuteStatement'));
  });

  test('tells how many rows it has affected', async () => {
    await api.as('acme', async () => {
      expect(await insert('One', 'Two').execute()).toMatchObject([{ numInsertedOrUpdatedRows: 2n }]);
      const update = api.db.updateTable('projects').set({ archived: true });
      expect(await update.where('name', '=', 'One').execute()).toMatchObject([{ numUpdatedRows: 1n }]);
      expect(await update.where('name', '=', 'Three').execute()).toMatchObject([{ numUpdatedRows: 0n }]);
      expect(await api.db.deleteFrom('projects').execute()).toMatchObject([{ numDeletedRows: 2n }]);
    });
  });

  test('with WITH tells how many rows the outer query has affected', async () => {
    await api.as('acme', async () => {
      await insert('One', 'Two', 'Three').execute();
      const result = await api.db
        .with('gone', (db) => db.deleteFrom('projects').where('name', '=', 'One').returning('name'))
        .updateTable('projects')
        .from('gone')
        .set({ archived: true })
        .whereRef('projects.name', '!=', 'gone.name')
        .execute();
      expect(result).toMatchObject([{ numUpdatedRows: 2n }]);
    });
  });

  test('that merges tells how many rows it has affected', async () => {
    await api.as('acme', async () => {
      await insert('One').execute();
      const result = await api.db
        .mergeInto('projects as p')
        .using(
          (eb) =>
            eb
              .selectFrom(sql<{ name: string }>`(values ('One'), ('Two'))`.as<'v'>(sql`v(name)`))
              .select('name')
              .as('s'),
          (join) => join.onRef('p.name', '=', 's.name'),
        )
        .whenMatched()
        .thenUpdateSet({ archived: true })
        .whenNotMatched()
        .thenInsertValues((eb) => ({ name: eb.ref('s.name') }))
        .execute();
      expect(result).toMatchObject([{ numChangedRows: 2n }]);
      const rows = await api.db
        .selectFrom('projects')
        .select(['tenant_id', 'name', 'archived'])
        .orderBy('name')
        .execute();
      expect(rows).toEqual([
        { tenant_id: 'acme', name: 'One', archived: true },
        { tenant_id: 'acme', name: 'Two', archived: false },
      ]);
    });
  });

  test('keeps its order and its limit where wide columns make it a sub-query', async () => {
    await api.as('acme', async () => {
      const keys = ['c', 'a', 'd', 'b'].map((key, index) => ({ key, status: 'COMPLETED' as const, expires_at: index }));
      await api.db.insertInto('idempotency_keys').values(keys).execute();
      const rows = await api.db.selectFrom('idempotency_keys').selectAll().orderBy('key', 'desc').limit(3).execute();
      expect(rows.map(({ key, expires_at }) => [key, expires_at])).toEqual([
        ['d', '2'],
        ['c', '0'],
        ['b', '3'],
      ]);
    });
  });

  test('that only reads cannot write, not even through a function', async () => {
    await expect(
      api.as('acme', () => sql`select set_config('transaction_read_only', 'off', true), nextval('x')`.execute(api.db)),
    ).rejects.toMatchObject({ code: 'internal' });
  });

  test('may lock what it reads', async () => {
    await api.as('acme', async () => {
      await insert('One').execute();
      expect(await api.db.selectFrom('projects').select('name').forUpdate().execute()).toEqual([{ name: 'One' }]);
    });
  });

  test('cannot be explained, which would tell of other tenants', async () => {
    const query = api.db.selectFrom('projects').selectAll();
    await expect(api.as('acme', () => query.explain('text'))).rejects.toThrow('as the owner of the tables');
    expect(api.calls).toEqual([]);
    await expect(api.as('acme', () => sql`explain ${query}`.execute(api.db))).rejects.toMatchObject({
      code: 'internal',
    });
    await expect(api.as('acme', () => sql`show search_path`.execute(api.db))).rejects.toThrow('begins with select');
  });

  test('outside of a request is refused before a call is made', async () => {
    await expect(api.db.selectFrom('projects').selectAll().execute()).rejects.toThrow(NoTenantContextError);
    expect(api.calls).toEqual([]);
  });

  test('cannot be streamed', async () => {
    const stream = () =>
      api.as('acme', async () => {
        for await (const row of api.db.selectFrom('projects').selectAll().stream()) expect(row).toBeNull();
      });
    await expect(stream()).rejects.toThrow('does not stream');
  });
});

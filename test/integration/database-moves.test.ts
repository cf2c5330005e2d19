import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { applyMigrations, readAllMigrations } from '../../shared/database/migrator.ts';
import { withDeadline } from '../../shared/database/index.ts';
import { executeWith } from '../helpers/database-template.ts';
import { openTenantDatabase, type TenantDatabase } from '../../shared/database/tenant-database.ts';
import { startTenantDatabase, type TestTenantDatabase } from '../helpers/tenant-database.ts';

const target = 'tenant_acme';

let api: TestTenantDatabase;
/** As in a function that has served nobody yet. */
let db: TenantDatabase;
beforeAll(async () => {
  api = await startTenantDatabase(['acme', 'globex']);
  const { tenant } = await readAllMigrations('migrations');
  await applyMigrations(executeWith(api.postgres.owner), target, tenant);
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  await api.postgres.superuser.query(`truncate pool.projects, pool.tasks, ${target}.projects, ${target}.tasks`);
  await place('pool', 'active');
  await place(target, 'moved');
  await register('pool');
  api.calls.length = 0;
  db = openTenantDatabase(api.config);
});

const place = (schema: string, state: string) =>
  api.postgres.owner.query('select tenancy.set_placement($1, $2, $3)', ['acme', schema, state]);
const register = (schema: string) =>
  api.postgres.superuser.query('update registry.tenants set schema = $1 where tenant_id = $2', [schema, 'acme']);
const move = async () => {
  await place('pool', 'moved');
  await place(target, 'active');
  await register(target);
};

const write = () => db.insertInto('projects').values({ name: 'One' }).execute();
const read = () => db.selectFrom('projects').select('name').execute();
const writeInTransaction = () =>
  db.transaction().execute(async (transaction) => {
    await transaction.insertInto('projects').values({ name: 'One' }).execute();
    return transaction.selectFrom('projects').select('name').execute();
  });
const namesIn = async (schema: string) =>
  (await api.postgres.superuser.query<{ name: string }>(`select name from ${schema}.projects`)).rows.map(
    ({ name }) => name,
  );

describe('a tenant that has moved', () => {
  test.each<[string, () => Promise<unknown>]>([
    ['statement', write],
    ['batch', () => db.batch([db.insertInto('projects').values({ name: 'One' })])],
    ['transaction', writeInTransaction],
  ])('is followed to its new home by a %s', async (_, work) => {
    await move();
    await api.as('acme', work);
    expect([await namesIn('pool'), await namesIn(target)]).toEqual([[], ['One']]);
  });

  test.each<[string, () => Promise<unknown>]>([
    ['statement', write],
    ['transaction', writeInTransaction],
  ])('is followed by a %s from a home whose schema is no more', async (_, work) => {
    await move();
    await api.postgres.superuser.query('alter schema pool rename to dropped');
    try {
      await api.as('acme', work);
    } finally {
      await api.postgres.superuser.query('alter schema dropped rename to pool');
    }
    expect([await namesIn('pool'), await namesIn(target)]).toEqual([[], ['One']]);
  });

  test('is not looked for, where a table is missing that is nowhere', async () => {
    const missing = () => sql`select * from nowhere`.execute(db);
    await expect(api.as('acme', missing)).rejects.toMatchObject({ sqlState: '42P01' });
    expect(api.calls).toHaveLength(2);
  });

  test('is looked up once, and not again while authorizers may name its former home', async () => {
    await move();
    await api.as('acme', async () => {
      await write();
      await read();
      await read();
    });
    expect(api.calls).toHaveLength(5);
    expect(await api.as('acme', read)).toEqual([{ name: 'One' }]);
    expect(api.calls).toHaveLength(6);
  });

  test('is found also when it has moved back meanwhile', async () => {
    await move();
    await api.as('acme', write);
    await place(target, 'moved');
    await place('pool', 'active');
    await register('pool');
    expect(await api.as('acme', read)).toEqual([]);
    api.calls.length = 0;
    expect(await api.as('acme', read)).toEqual([]);
    expect(api.calls).toHaveLength(1);
  });

  test('is waited for while the registry does not know yet', async () => {
    await place('pool', 'moved');
    await place(target, 'active');
    setTimeout(() => void register(target), 150);
    await api.as('acme', write);
    expect(await namesIn(target)).toEqual(['One']);
  });

  test('is followed once and not in circles', async () => {
    await place('pool', 'moved');
    await register(target);
    const error: unknown = await api.as('acme', write).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'tenant-moving', sqlState: 'TN004', retryAfterSeconds: 1 });
    // Both places, and what the registry says before and after the second.
    expect(api.calls).toHaveLength(4);
  });

  test('is not followed from the middle of a transaction', async () => {
    const work = () =>
      db.transaction().execute(async (transaction) => {
        await transaction.selectFrom('projects').select('name').execute();
        await move();
        await transaction.insertInto('projects').values({ name: 'One' }).execute();
      });
    await expect(api.as('acme', work)).rejects.toMatchObject({ code: 'tenant-moving', sqlState: 'TN004' });
    expect([await namesIn('pool'), await namesIn(target)]).toEqual([[], []]);
  });
});

describe('a tenant that is being moved', () => {
  test.each<[string, () => Promise<unknown>]>([
    ['statement', write],
    ['transaction', writeInTransaction],
  ])('is waited for by a %s that writes', async (_, work) => {
    await place('pool', 'moving');
    setTimeout(() => void move(), 200);
    await api.as('acme', work);
    expect([await namesIn('pool'), await namesIn(target)]).toEqual([[], ['One']]);
  });

  test('goes on being read', async () => {
    await api.as('acme', write);
    await place('pool', 'moving');
    expect(await api.as('acme', read)).toEqual([{ name: 'One' }]);
    expect(api.calls).toHaveLength(2);
  });

  test('is reported when the request has no time left to wait', async () => {
    await place('pool', 'moving');
    const work = () => withDeadline(Date.now() + 1_000, write);
    await expect(api.as('acme', work)).rejects.toMatchObject({
      code: 'tenant-moving',
      sqlState: 'TN006',
      retryAfterSeconds: 1,
    });
    expect(api.calls.length).toBeGreaterThan(1);
  });

  test('does not disturb another tenant', async () => {
    await place('pool', 'moving');
    await api.as('globex', write);
    expect(await api.as('globex', read)).toEqual([{ name: 'One' }]);
  });
});

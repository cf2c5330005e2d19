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
  await place(target, 'moved');
  await place('pool', 'active');
  await register('pool');
  api.calls.length = 0;
  db = openTenantDatabase(api.config);
});

const place = (schema: string, state: string) =>
  api.postgres.owner.query('select tenancy.set_placement($1, $2, $3)', ['acme', schema, state]);
const register = (schema: string) =>
  api.postgres.superuser.query('update registry.tenants set schema = $1 where tenant_id = $2', [schema, 'acme']);
/** At once for whoever looks: in between, a slow machine would have a statement look for a home that is none yet. */
const move = () =>
  api.postgres.superuser.query(
    `select tenancy.set_placement('acme', 'pool', 'moved');
     select tenancy.set_placement('acme', '${target}', 'active');
     update registry.tenants set schema = '${target}' where tenant_id = 'acme'`,
  );

const lookUps = () => api.calls.filter(({ request }) => JSON.stringify(request).includes('current_placement')).length;
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

  test('is looked up once a request, and nothing of it is kept for the next one', async () => {
    await move();
    const readTwice = async () => [await read(), await read()];
    for (let requests = 0; requests < 2; requests += 1) {
      api.calls.length = 0;
      expect(await api.as('acme', readTwice)).toEqual([[], []]);
      expect([api.calls.length, lookUps()]).toEqual([4, 1]);
    }
  });

  test('is looked up once by a request whose statements run side by side', async () => {
    await move();
    await api.as('acme', () => Promise.all([read(), read(), read()]));
    expect([api.calls.length, lookUps()]).toEqual([7, 1]);
  });

  test('is met where the registry has it already, by one retry, once the database does too', async () => {
    await place('pool', 'moving');
    await register(target);
    const placement = { ...api.postgres.placement, schema: target };
    setTimeout(() => void move(), 150);
    await api.as('acme', write, { placement });
    expect(await namesIn(target)).toEqual(['One']);
    expect([api.calls.length, lookUps()]).toEqual([3, 1]);
  });

  test('is tried for once where the registry says, and not in circles', async () => {
    await place('pool', 'moved');
    await register(target);
    const error: unknown = await api.as('acme', write).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'tenant-moving', sqlState: 'TN004', retryAfterSeconds: 1 });
    expect([api.calls.length, lookUps()]).toEqual([3, 1]);
  });

  test('is tried for once more where the registry knows of no other home, and looked up once a request', async () => {
    await place('pool', 'moved');
    await api.as('acme', async () => {
      for (const attempts of [2, 4]) {
        await expect(write()).rejects.toMatchObject({ code: 'tenant-moving', sqlState: 'TN004' });
        expect([api.calls.length, lookUps()]).toEqual([attempts + 1, 1]);
      }
    });
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
    expect(lookUps()).toBe(0);
  });

  test('does not disturb another tenant', async () => {
    await place('pool', 'moving');
    await api.as('globex', write);
    expect(await api.as('globex', read)).toEqual([{ name: 'One' }]);
  });
});

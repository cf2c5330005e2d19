import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TenantScopeError } from '../../shared/database/index.ts';
import { registryFinders } from '../../shared/database/find-tenant.ts';
import { NoTenantContextError } from '../../shared/tenancy/index.ts';
import { configFor, startTenantDatabase, type TestTenantDatabase } from '../helpers/tenant-database.ts';

let api: TestTenantDatabase;
beforeAll(async () => {
  api = await startTenantDatabase(['acme', 'globex']);
  for (const tenant of ['acme', 'globex']) {
    await api.as(tenant, () =>
      api.db
        .insertInto('projects')
        .values({ name: `Of ${tenant}` })
        .execute(),
    );
  }
});
afterAll(() => api[Symbol.asyncDispose]());

const everything = async () =>
  (await api.postgres.superuser.query('select tenant_id, name from pool.projects order by 1')).rows as unknown[];
const untouched = [
  { tenant_id: 'acme', name: 'Of acme' },
  { tenant_id: 'globex', name: 'Of globex' },
];

describe('behind the plugin stands row-level security: without the plugin', () => {
  const bare = () => api.db.withoutPlugins();

  test('a tenant reads its own rows alone', async () => {
    const rows = await api.as('acme', () => bare().selectFrom('projects').select(['tenant_id', 'name']).execute());
    expect(rows).toEqual([{ tenant_id: 'acme', name: 'Of acme' }]);
    const theirs = await api.as('acme', () =>
      bare().selectFrom('projects').selectAll().where('tenant_id', '=', 'globex').execute(),
    );
    expect(theirs).toEqual([]);
  });

  test("a tenant changes nobody else's rows", async () => {
    await api.as('acme', async () => {
      const update = bare().updateTable('projects').set({ name: 'Taken' }).where('tenant_id', '=', 'globex');
      expect(await update.execute()).toMatchObject([{ numUpdatedRows: 0n }]);
      expect(await bare().deleteFrom('projects').where('tenant_id', '=', 'globex').execute()).toMatchObject([
        { numDeletedRows: 0n },
      ]);
      await expect(bare().updateTable('projects').set({ tenant_id: 'globex' }).execute()).rejects.toMatchObject({
        code: 'forbidden',
      });
    });
    expect(await everything()).toEqual(untouched);
  });

  test('there are no rows without a tenant', async () => {
    await expect(bare().selectFrom('projects').selectAll().execute()).rejects.toThrow(NoTenantContextError);
  });
});

describe('SQL in a fragment', () => {
  test.each([
    `select * from projects where tenant_id = 'globex'`,
    `select * from projects) as x; select * from (select * from pool.projects`,
    `select set_config('tenancy.capability', '', true), p.* from projects p`,
    `with x as (select set_config('tenancy.capability', 'v1.k1.globex.9999999999.AAAA', true)) select p.* from x, projects p`,
    `set role tenantry_owner`,
    `reset all`,
    `select * from pg_catalog.pg_read_file('/etc/passwd')`,
    `select tenancy.run('v1.k1.globex.9999999999.AAAA', 'pool', 'select * from projects')`,
    `%1$s`,
    `select '%1$L' as x from projects where tenant_id = 'globex'`,
  ])('reaches no row of another tenant: %s', async (text) => {
    const outcome: unknown = await api.as('acme', () => sql.raw(text).execute(api.db)).catch((error: unknown) => error);
    expect(JSON.stringify(outcome)).not.toContain('Of globex');
    expect(await everything()).toEqual(untouched);
  });
});

describe('a query that names another tenant', () => {
  const db = () => api.db;
  test.each<[string, () => Promise<unknown>]>([
    ['in a condition', () => db().selectFrom('projects').selectAll().where('tenant_id', '=', 'globex').execute()],
    ['in a list', () => db().selectFrom('projects').selectAll().where('tenant_id', 'in', ['acme', 'globex']).execute()],
    [
      'in a join',
      () =>
        db()
          .selectFrom('projects')
          .innerJoin('tasks', (join) => join.on('tasks.tenant_id', '=', 'globex'))
          .selectAll()
          .execute(),
    ],
    [
      'in a sub-query',
      () =>
        db()
          .selectFrom('projects')
          .selectAll()
          .where('id', 'in', (eb) => eb.selectFrom('tasks').select('project_id').where('tenant_id', '=', 'globex'))
          .execute(),
    ],
    ['in a deletion', () => db().deleteFrom('projects').where('projects.tenant_id', '=', 'globex').execute()],
    ['in a new row', () => db().insertInto('projects').values({ tenant_id: 'globex', name: 'x' }).execute()],
    [
      'in one of several rows',
      () =>
        db()
          .insertInto('projects')
          .values([{ name: 'x' }, { tenant_id: 'globex', name: 'y' }])
          .execute(),
    ],
    [
      'in an expression of a new row',
      () =>
        db()
          .insertInto('projects')
          .values({ tenant_id: sql<string>`'globex'`, name: 'x' })
          .execute(),
    ],
    ['in a change', () => db().updateTable('projects').set({ tenant_id: 'globex' }).execute()],
    [
      'in an upsert',
      () =>
        db()
          .insertInto('projects')
          .values({ name: 'x' })
          .onConflict((c) => c.columns(['tenant_id', 'name']).doUpdateSet({ tenant_id: 'globex' }))
          .execute(),
    ],
    [
      'in an insert from a query',
      () =>
        db()
          .insertInto('projects')
          .columns(['tenant_id', 'name'])
          .expression((eb) => eb.selectFrom('projects').select([eb.val('globex').as('t'), 'name']))
          .execute(),
    ],
    [
      'in a merge',
      () =>
        db()
          .mergeInto('projects')
          .using('tasks', 'tasks.project_id', 'projects.id')
          .whenNotMatched()
          .thenInsertValues({ tenant_id: 'globex', name: 'x' })
          .execute(),
    ],
    [
      'in a common table expression',
      () =>
        db()
          .with('x', (q) => q.updateTable('projects').set({ tenant_id: 'globex' }).returning('id'))
          .selectFrom('x')
          .selectAll()
          .execute(),
    ],
  ])('%s is refused before it is sent, without the name in the message', async (_, work) => {
    api.calls.length = 0;
    const error: unknown = await api.as('acme', work).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TenantScopeError);
    expect(String(error)).not.toContain('globex');
    expect(api.calls).toEqual([]);
  });
});

describe('findTenant', () => {
  test('reads the registry by the login of the authorizer, in one call', async () => {
    api.calls.length = 0;
    const { findTenant: find } = registryFinders(configFor('authorizer', api.postgres.name));
    expect(await find('acme')).toEqual({
      tenantId: 'acme',
      plan: 'free',
      state: 'active',
      apiKey: null,
      limits: null,
      placement: api.postgres.placement,
    });
    expect(await find(`nobody' or true --`)).toBeUndefined();
    expect(api.calls).toHaveLength(2);
  });

  test('is refused to the login of application functions', async () => {
    await expect(registryFinders(configFor('app', api.postgres.name)).findTenant('acme')).rejects.toMatchObject({
      code: 'internal',
      sqlState: '42501',
    });
  });
});

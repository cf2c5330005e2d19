import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';
import { explainAs } from '../helpers/explain.ts';
import { failureOf, runAs } from '../helpers/run-as.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.addTenants('acme', 'globex');
  await database.owner.query(
    `create collation pool.any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
  );
});
afterAll(() => database[Symbol.asyncDispose]());

/** Creates the table as the owner and protects it. */
async function protect(name: string, definition: string): Promise<void> {
  await database.owner.query(`create table pool.${name} (${definition})`);
  await database.owner.query('select tenancy.protect($1)', [`pool.${name}`]);
}

describe('tenancy.protect', () => {
  it('makes a plain table a tenant table in one line', async () => {
    await protect('notes', 'tenant_id text, id int, primary key (tenant_id, id)');
    await runAs(database.app, 'acme', 'insert into notes (id) values (1) returning id');
    expect(await runAs(database.app, 'acme', 'select * from notes')).toEqual([{ tenant_id: 'acme', id: 1 }]);
    expect(await runAs(database.app, 'globex', 'select * from notes')).toEqual([]);
  });

  it('may be called again, and then drops what was added to the policy meanwhile', async () => {
    await protect('repeated', 'tenant_id text, id int, primary key (tenant_id, id)');
    await database.owner.query('create policy open on pool.repeated using (true)');
    await database.owner.query(`select tenancy.protect('pool.repeated')`);
    const { rows } = await database.owner.query(
      `select polname from pg_policy where polrelid = 'pool.repeated'::regclass`,
    );
    expect(rows).toEqual([{ polname: 'tenant' }]);
  });

  it.each([
    ['no tenant_id', 'id int primary key', 'has no column tenant_id text'],
    [
      'a tenant_id that is no text',
      'tenant_id int, id int, primary key (tenant_id, id)',
      'has no column tenant_id text',
    ],
    ['no primary key', 'tenant_id text', 'has no primary key'],
    [
      'a primary key without the tenant',
      'tenant_id text, id int primary key',
      'primary key refused_pkey does not begin with tenant_id',
    ],
    [
      'a primary key that ends with the tenant',
      'tenant_id text, id int, primary key (id, tenant_id)',
      'does not begin with tenant_id',
    ],
    [
      'a unique key without the tenant',
      'tenant_id text, id int, email text unique, primary key (tenant_id, id)',
      'unique key',
    ],
    [
      'a foreign key without the tenant',
      'tenant_id text, id int, p uuid, q text, primary key (tenant_id, id), foreign key (q, p) references pool.projects (tenant_id, id)',
      'foreign key',
    ],
    [
      'an exclusion constraint without the tenant',
      'tenant_id text, id int, during tsrange, primary key (tenant_id, id), exclude using gist (during with &&)',
      'does not',
    ],
    [
      'a tenant_id to which capital letters are the same',
      'tenant_id text collate pool.any_case, id int, primary key (tenant_id, id)',
      'has a tenant_id whose collation is not deterministic',
    ],
  ])('refuses a table with %s', async (_, definition, reason) => {
    await database.owner.query('begin');
    const failure = await failureOf(protect('refused', definition));
    await database.owner.query('rollback');
    expect(failure).toMatchObject({ code: 'TN008', message: expect.stringContaining(reason) });
  });

  it.each([
    ['a method in which no column comes first', 'using brin (tenant_id, id)'],
    ['another collation', '(tenant_id collate pool.any_case, id)'],
    ['another operator class', '(tenant_id text_pattern_ops, id)'],
  ])('refuses a table with an index that begins with the tenant by %s', async (_, index) => {
    await database.owner.query('begin');
    await database.owner.query('create table pool.refused (tenant_id text, id int, primary key (tenant_id, id))');
    await database.owner.query(`create index on pool.refused ${index}`);
    const failure = await failureOf(database.owner.query(`select tenancy.protect('pool.refused')`));
    await database.owner.query('rollback');
    expect(failure).toMatchObject({ code: 'TN008', message: expect.stringContaining('does not keep tenants apart') });
  });

  it.each([
    [
      'a unique key of a partition in another schema',
      `create table ref.refused_1 partition of pool.refused for values in (1); create unique index on ref.refused_1 (id)`,
      'unique key refused_1_id_idx does not begin with tenant_id',
    ],
    [
      'a foreign key to a table in which the application may delete',
      'alter table pool.refused add code text references ref.codes; grant delete on ref.codes to tenantry_app',
      'foreign key refused_code_fkey leads to ref.codes, where tenantry_app has delete',
    ],
    [
      'extended statistics',
      'create statistics pool.mix on id, (id % 2) from pool.refused',
      'the extended statistics pool.mix',
    ],
  ])('refuses a table with %s', async (_, statements, reason) => {
    await database.owner.query(`begin; create schema ref; create table ref.codes (code text primary key);
      create table pool.refused (tenant_id text, id int, primary key (tenant_id, id)) partition by list (id); ${statements}`);
    const failure = await failureOf(database.owner.query(`select tenancy.protect('pool.refused')`));
    await database.owner.query('rollback');
    expect(failure).toMatchObject({ code: 'TN008', message: expect.stringContaining(reason) });
  });

  it('grants reading and writing of rows alone', async () => {
    const { rows } = await database.superuser.query(
      `select grantee, string_agg(privilege_type, ',' order by privilege_type) as privileges
       from information_schema.role_table_grants
       where table_schema = 'pool' and table_name = 'projects' and grantee <> 'tenantry_owner' group by 1`,
    );
    expect(rows).toEqual([{ grantee: 'tenantry_app', privileges: 'DELETE,INSERT,SELECT,UPDATE' }]);
  });

  it('costs one proof a statement, however many rows it reads', async () => {
    await runAs(database.app, 'acme', `insert into notes (id) select g from generate_series(10, 9000) g returning id`);
    const plan = (
      await explainAs(database.owner, 'acme', 'analyze, costs off, timing off', 'select * from notes')
    ).join('\n');
    expect(plan).toMatch(/InitPlan 1\s+->\s+Result \(actual rows=1 loops=1\)/);
  });

  it('lets a point query use the primary key', async () => {
    await database.owner.query('analyze pool.notes');
    const plan = (await explainAs(database.owner, 'acme', 'costs off', 'select * from notes where id = 77')).join('\n');
    expect(plan).toMatch(/Index Cond: \(\(tenant_id = .*\) AND \(id = 77\)\)/);
  });
});

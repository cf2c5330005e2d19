import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { capabilityFor } from '../helpers/capability.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';
import { failureOf, runAs } from '../helpers/run-as.ts';
import { addSampleRows } from '../helpers/tenant-row-samples.ts';

let database: TestDatabase;
let operations: Client;
beforeAll(async () => {
  database = await createTestDatabase();
  operations = await database.connectAs('operations');
  await database.addTenants('acme', 'globex', 'hooli');
  for (const tenantId of ['acme', 'globex', 'hooli']) await addSampleRows(database, tenantId);
});
afterAll(() => database[Symbol.asyncDispose]());

const calls = [
  `tenancy.describe_home('globex', 'pool')`,
  `tenancy.describe_rows('pool')`,
  `tenancy.read_rows('globex', 'pool', 'projects', null, 0)`,
  `tenancy.insert_rows('globex', 'pool', 'projects', '[]', false)`,
  `tenancy.advance_sequences('globex', 'pool', 'projects')`,
  `tenancy.erase_rows('globex', 'pool', 10)`,
  `tenancy.find_rows('globex')`,
];
const placementOf = async (tenantId: string): Promise<unknown[]> =>
  (await database.owner.query('select state from tenancy.placements where tenant_id = $1', [tenantId])).rows;
const waiting = async (): Promise<unknown[]> =>
  (
    await database.superuser.query(`select from pg_stat_activity where datname = $1 and wait_event_type = 'Lock'`, [
      database.name,
    ])
  ).rows;
const become = (tenantId: string, state: string) =>
  database.owner.query(`select tenancy.set_placement($1, 'pool', $2)`, [tenantId, state]);

describe('acting for a tenant', () => {
  it.each(calls)('is for the role of operations alone: %s', async (call) => {
    for (const role of ['app', 'authorizer', 'control'] as const) {
      const client = await database.connectAs(role);
      await expect(failureOf(client.query(`select ${call}`)), role).resolves.toMatchObject({ code: '42501' });
      await client.end();
    }
  });

  it.each(['mint', 'act_as', 'act_no_more', 'row_tables', 'erase_from', 'unlink_from', 'count_outside'])(
    'leaves tenancy.%s to the owner',
    async (name) => {
      const { rows } = await database.owner.query(
        `select has_function_privilege('tenantry_operations', oid, 'execute') as may from pg_proc
         where pronamespace = 'tenancy'::regnamespace and proname = $1`,
        [name],
      );
      expect(rows).toEqual([{ may: false }]);
    },
  );

  it('gives the role of operations no row by any other way', async () => {
    for (const table of ['projects', 'tasks', 'idempotency_keys'])
      await expect(failureOf(operations.query(`select from pool.${table}`))).resolves.toMatchObject({ code: '42501' });
    await expect(failureOf(operations.query('select from tenancy.signing_keys'))).resolves.toMatchObject({
      code: '42501',
    });
    await expect(failureOf(runAs(operations, 'acme', 'select * from projects'))).resolves.toMatchObject({
      code: '42501',
    });
  });

  it('leaves no capability behind, nor another placement, also when it fails', async () => {
    await become('acme', 'suspended');
    await operations.query('begin');
    await operations.query(`select tenancy.read_rows('acme', 'pool', 'projects', null, 0)`);
    await operations.query(`select tenancy.find_rows('acme')`);
    const { rows } = await operations.query(`select current_setting('tenancy.capability', true) as capability`);
    expect(rows).toEqual([{ capability: '' }]);
    await operations.query('savepoint before');
    const bad = `select tenancy.insert_rows('acme', 'pool', 'projects', '[{"id": "no uuid"}]', false)`;
    await expect(failureOf(operations.query(bad))).resolves.toMatchObject({ code: '22P02' });
    await operations.query('rollback to before');
    expect((await operations.query(`select current_setting('tenancy.capability', true) as capability`)).rows).toEqual([
      { capability: '' },
    ]);
    await operations.query('commit');
    expect(await placementOf('acme')).toEqual([{ state: 'suspended' }]);
    await become('acme', 'active');
  });

  it('is never seen by others: a suspended tenant stays suspended to them while its rows are read', async () => {
    await become('acme', 'suspended');
    await operations.query('begin');
    await operations.query(`select tenancy.read_rows('acme', 'pool', 'projects', null, 0)`);
    await expect(failureOf(runAs(database.app, 'acme', 'select * from projects'))).resolves.toMatchObject({
      code: 'TN005',
    });
    await operations.query('commit');
    await become('acme', 'active');
  });

  it.each(['active', 'moving', 'moved'])('erases and restores nothing of a tenant that is %s', async (state) => {
    await become('globex', state);
    for (const call of calls.slice(3, 5))
      await expect(failureOf(operations.query(`select ${call}`))).resolves.toMatchObject({ code: '55006' });
    await become('globex', 'active');
  });

  it('leaves a tenant served whom somebody lets in while it waits to read', async () => {
    await become('acme', 'suspended');
    await database.owner.query('begin');
    await become('acme', 'active');
    const reading = operations.query(`select tenancy.read_rows('acme', 'pool', 'projects', null, 0)`);
    await expect.poll(async () => (await waiting()).length, { timeout: 10_000 }).toBe(1);
    await database.owner.query('commit');
    await reading;
    expect(await placementOf('acme')).toEqual([{ state: 'active' }]);
  });

  it('waits for writes in flight before it erases, and erases what they have written', async () => {
    await become('hooli', 'suspended');
    await become('hooli', 'active');
    const app = await database.connectAs('app');
    await app.query('begin');
    await app.query(`select set_config('tenancy.capability', $1, true)`, [capabilityFor('hooli')]);
    await app.query(`insert into pool.projects (name) values ('in flight')`);
    let isSuspended = false;
    const suspended = become('hooli', 'suspended').then(() => (isSuspended = true));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(isSuspended).toBe(false);
    await app.query('commit');
    await suspended;
    const { rows } = await operations.query(`select tenancy.erase_rows('hooli', 'pool', 100) as erased`);
    expect(rows).toEqual([{ erased: 9 }]);
  });

  it('erases as many rows as it is told, children first, and none of another tenant', async () => {
    const others = `select (select count(*) from pool.projects where tenant_id = 'acme')
      + (select count(*) from pool.tasks where tenant_id = 'acme') as rows`;
    const before = (await database.superuser.query(others)).rows;
    await become('globex', 'suspended');
    const erased: number[] = [];
    for (let gone = -1; gone !== 0; erased.push(gone)) {
      const { rows } = await operations.query<{ erased: number }>(
        `select tenancy.erase_rows('globex', 'pool', 3) as erased`,
      );
      gone = rows[0]?.erased ?? 0;
    }
    expect(erased).toEqual([3, 3, 2, 0]);
    expect((await database.superuser.query(others)).rows).toEqual(before);
  });

  it('refuses a schema in which a table is not protected', async () => {
    await database.owner.query('create table pool.forgotten (tenant_id text not null, primary key (tenant_id))');
    await expect(
      failureOf(operations.query(`select tenancy.read_rows('acme', 'pool', 'projects', null, 0)`)),
    ).resolves.toMatchObject({ code: 'TN008', message: 'The table pool.forgotten is not protected' });
    await database.owner.query('drop table pool.forgotten');
  });
});

describe('the scan for rows of a tenant', () => {
  const scan = async (tenantId: string): Promise<Record<string, string | null>> => {
    const { rows } = await operations.query<{ relation: string; held: string | null }>(
      'select * from tenancy.find_rows($1)',
      [tenantId],
    );
    return Object.fromEntries(rows.map(({ relation, held }) => [relation, held]));
  };

  it('counts in every table that has a tenant_id, wherever it is, and says where it cannot', async () => {
    await database.superuser.query(`
      create schema elsewhere;
      create table elsewhere.notes (tenant_id text);
      insert into elsewhere.notes values ('acme'), ('acme'), ('globex');
      grant usage on schema elsewhere to tenantry_owner;
      grant select on elsewhere.notes to tenantry_owner;
      create table elsewhere.hidden (tenant_id uuid);
      create table elsewhere.policed (tenant_id text);
      alter table elsewhere.policed enable row level security;
      grant select on elsewhere.policed to tenantry_owner`);
    const found = await scan('acme');
    expect(found).toMatchObject({
      'pool.projects': '3',
      'pool.tasks': '4',
      'pool.idempotency_keys': '1',
      'registry.tenants': '1',
      'tenancy.placements': '1',
      'elsewhere.notes': '2',
      'elsewhere.hidden': null,
      'elsewhere.policed': null,
    });
    await database.superuser.query('drop schema elsewhere cascade');
  });

  it('finds rows of a tenant that has no home any more', async () => {
    await become('acme', 'moved');
    expect(await scan('acme')).toMatchObject({ 'pool.projects': '3' });
    await database.owner.query(`delete from tenancy.placements where tenant_id = 'acme'`);
    expect(await scan('acme')).toMatchObject({ 'pool.projects': '3', 'tenancy.placements': '0' });
    expect(await placementOf('acme')).toEqual([]);
    await become('acme', 'active');
  });

  it('leaves nothing for the audit to find', async () => {
    const { rows } = await database.owner.query('select * from tenancy.audit()');
    expect(rows).toEqual([]);
  });
});

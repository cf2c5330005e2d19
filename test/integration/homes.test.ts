import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { tenantHomeName } from '../../shared/contract/index.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';
import { failureOf, runAs } from '../helpers/run-as.ts';

let database: TestDatabase;
let operations: Client;

beforeAll(async () => {
  database = await createTestDatabase();
  operations = await database.connectAs('operations');
  await database.addTenants('acme', 'globex');
});
afterAll(() => database[Symbol.asyncDispose]());

async function stateOf(tenantId: string): Promise<string | undefined> {
  const { rows } = await database.superuser.query<{ state: string }>(
    'select state from tenancy.placements where tenant_id = $1',
    [tenantId],
  );
  return rows[0]?.state;
}

async function tablesOf(schema: string): Promise<string[]> {
  const { rows } = await database.superuser.query<{ name: string }>(
    `select relname::text as name from pg_class where relkind = 'r' and relnamespace = to_regnamespace($1) order by 1`,
    [schema],
  );
  return rows.map(({ name }) => name);
}

describe('a home that is made for one tenant', () => {
  it('has the tables of the pool, once, however often it is asked for', async () => {
    const { rows } = await operations.query(`select tenancy.make_home('new-one') as version`);
    expect(rows.map(({ version }: { version: string }) => version)).toContain('001_projects');
    expect((await operations.query(`select tenancy.make_home('new-one')`)).rows).toEqual([]);
    await expect(tablesOf('t_new_one')).resolves.toEqual(await tablesOf('pool'));
  });

  it('is called by the kernel what the contract calls it', async () => {
    const ids = ['acme', 'a-b', 'x9-y-z', `a${'-b'.repeat(19)}9`];
    const { rows } = await database.owner.query('select tenancy.home_of(id) as name from unnest($1::text[]) id', [ids]);
    expect(rows.map(({ name }: { name: string }) => name)).toEqual(ids.map(tenantHomeName));
  });

  it('answers its tenant, and neither other tenants nor itself once it is suspended', async () => {
    await operations.query(`select tenancy.place('new-one', 't_new_one', 'active')`);
    const insert = `insert into projects (name) values ('at home') returning tenant_id`;
    await expect(runAs(database.app, 'new-one', insert, [], 't_new_one')).resolves.toEqual([{ tenant_id: 'new-one' }]);
    await expect(
      failureOf(runAs(database.app, 'acme', 'select * from projects', [], 't_new_one')),
    ).resolves.toMatchObject({ code: 'TN004' });
    await operations.query(`select tenancy.place('new-one', 't_new_one', 'suspended')`);
    await expect(
      failureOf(runAs(database.app, 'new-one', 'select * from projects', [], 't_new_one')),
    ).resolves.toMatchObject({ code: 'TN005' });
  });

  it('is dropped, a few tables a call, once nobody is at home', async () => {
    await expect(operations.query(`select tenancy.drop_home('new-one', 10, 500)`)).rejects.toMatchObject({
      code: '55006',
    });
    await operations.query(`select tenancy.displace('new-one')`);
    const left: number[] = [];
    do {
      const { rows } = await operations.query<{ left: string }>(`select tenancy.drop_home('new-one', 1, 500) as left`);
      left.push(Number(rows[0]?.left));
    } while (left.at(-1) !== 0);
    expect(left).toEqual([2, 1, 0]);
    await expect(tablesOf('t_new_one')).resolves.toEqual([]);
    expect((await operations.query(`select tenancy.drop_home('new-one', 1, 500) as left`)).rows).toEqual([
      { left: '0' },
    ]);
  });

  it('is neither made nor dropped where there is another schema of its name', async () => {
    await database.superuser.query('create schema t_left; create table t_left.kept ()');
    await expect(operations.query(`select tenancy.make_home('left')`)).rejects.toMatchObject({ code: '42P06' });
    expect((await operations.query(`select tenancy.drop_home('left', 10, 500) as left`)).rows).toEqual([{ left: '0' }]);
    await expect(tablesOf('t_left')).resolves.toEqual(['kept']);
    await database.superuser.query('drop schema t_left cascade');
  });

  it.each(['', 'A', 'a"b', null])('is none of a tenant that cannot be: %j', async (tenantId) => {
    await expect(operations.query('select tenancy.make_home($1)', [tenantId])).rejects.toMatchObject({ code: '22023' });
  });

  it.each(['pool', 'tenancy', 'registry', 'kernel'])('is not what the schema %s is', async (tenantId) => {
    await operations.query('select tenancy.make_home($1)', [tenantId]);
    await expect(tablesOf(`t_${tenantId}`)).resolves.toHaveLength(3);
    await operations.query('select tenancy.drop_home($1, 100, 5000)', [tenantId]);
    await expect(tablesOf('pool')).resolves.toHaveLength(3);
  });
});

describe('placing a tenant', () => {
  it.each([
    ['acme', 'pool', 'moved', '22023'],
    ['acme', 'pool', null, '22023'],
    ['acme', 'nowhere', 'active', 'TN004'],
    ['acme', 'kernel', 'active', 'TN004'],
    ['acme', 'tenancy', 'active', 'TN004'],
  ])('refuses %s in %s as %s', async (tenantId, home, state, code) => {
    await expect(operations.query('select tenancy.place($1, $2, $3)', [tenantId, home, state])).rejects.toMatchObject({
      code,
    });
  });

  it('puts nobody into the home of another tenant, or into two', async () => {
    await operations.query(`select tenancy.make_home('hooli')`);
    await expect(operations.query(`select tenancy.place('acme', 't_hooli', 'active')`)).rejects.toMatchObject({
      code: 'TN004',
    });
    await operations.query(`select tenancy.place('hooli', 't_hooli', 'active')`);
    await expect(operations.query(`select tenancy.place('hooli', 'pool', 'active')`)).rejects.toMatchObject({
      code: 'TN006',
    });
  });

  it('leaves a tenant alone that is being moved', async () => {
    await database.owner.query(`select tenancy.set_placement('globex', 'pool', 'moving')`);
    await expect(operations.query(`select tenancy.place('globex', 'pool', 'active')`)).rejects.toMatchObject({
      code: 'TN006',
    });
    await database.owner.query(`select tenancy.set_placement('globex', 'pool', 'active')`);
  });
});

describe('a tenant is at home in one place at most', () => {
  /** Whatever is done first, and not committed before the other one waits for it. */
  async function race(first: string, second: string, before = 'select'): Promise<{ second: unknown }> {
    const [one, other] = [await database.connectAs('operations'), await database.connectAs('operations')];
    await other.query(before);
    await one.query('begin');
    await one.query(`select tenancy.${first}`);
    const waiting = other.query(`select tenancy.${second}`).then(
      () => undefined,
      (error: unknown) => error,
    );
    await vi.waitFor(async () => {
      const { rows } = await database.superuser.query(
        `select from pg_stat_activity where query = $1 and wait_event_type = 'Lock'`,
        [`select tenancy.${second}`],
      );
      expect(rows).toHaveLength(1);
    });
    await one.query('commit');
    return { second: await waiting };
  }
  const statesOf = async (tenantId: string) =>
    (
      await database.superuser.query<{ schema: string; state: string }>(
        'select schema, state from tenancy.placements where tenant_id = $1 order by schema',
        [tenantId],
      )
    ).rows;

  it('when two put it into two schemas at once', async () => {
    await operations.query(`select tenancy.make_home('twice')`);
    const { second } = await race(`place('twice', 'pool', 'active')`, `place('twice', 't_twice', 'active')`);
    expect(second).toMatchObject({ code: 'TN006' });
    expect(await statesOf('twice')).toEqual([{ schema: 'pool', state: 'active' }]);
  });

  it('and in none once two have dropped its schema, of whom the second has seen it and waits for the first', async () => {
    await operations.query(`select tenancy.make_home('dropped')`);
    const drop = `drop_home('dropped', 100, 10000)`;
    const { second } = await race(drop, drop, `select to_regnamespace('t_dropped')`);
    expect(second).toBeUndefined();
    expect(await tablesOf('t_dropped')).toEqual([]);
  });

  it('when two bring it back to schemas that it has left', async () => {
    await operations.query(`select tenancy.make_home('back')`);
    for (const schema of ['pool', 't_back'])
      await database.owner.query(`select tenancy.set_placement('back', $1, 'moved')`, [schema]);
    const { second } = await race(`place('back', 't_back', 'suspended')`, `place('back', 'pool', 'active')`);
    expect(second).toMatchObject({ code: 'TN006' });
    expect(await statesOf('back')).toEqual([
      { schema: 'pool', state: 'moved' },
      { schema: 't_back', state: 'suspended' },
    ]);
  });

  it('also while it moves, until one transaction ends the one stay and begins the other', async () => {
    await operations.query(`select tenancy.make_home('leaving')`);
    await operations.query(`select tenancy.place('leaving', 'pool', 'active')`);
    await expect(
      database.owner.query(`select tenancy.set_placement('leaving', 't_leaving', 'active')`),
    ).rejects.toMatchObject({ code: '23505' });
    await database.owner.query(`select tenancy.set_placement('leaving', 'pool', 'moving')`);
    await database.owner.query(
      `do $$ begin
         perform tenancy.set_placement('leaving', 'pool', 'moved');
         perform tenancy.set_placement('leaving', 't_leaving', 'active');
       end $$`,
    );
    expect(await statesOf('leaving')).toEqual([
      { schema: 'pool', state: 'moved' },
      { schema: 't_leaving', state: 'active' },
    ]);
  });

  it('and not in a schema that is being dropped, whoever comes first', async () => {
    for (const tenantId of ['late', 'early']) await operations.query('select tenancy.make_home($1)', [tenantId]);
    const late = await race(`drop_home('late', 1, 500)`, `place('late', 't_late', 'active')`);
    expect(late.second).toMatchObject({ code: 'TN004' });
    expect(await statesOf('late')).toEqual([]);
    const early = await race(`place('early', 't_early', 'active')`, `drop_home('early', 1, 500)`);
    expect(early.second).toMatchObject({ code: '55006' });
    await expect(tablesOf('t_early')).resolves.toEqual(await tablesOf('pool'));
  });
});

it('displaces a tenant that is suspended, and no other', async () => {
  await expect(operations.query(`select tenancy.displace('acme')`)).rejects.toMatchObject({ code: '55006' });
  await operations.query(`select tenancy.place('acme', 'pool', 'suspended')`);
  await operations.query(`select tenancy.displace('acme')`);
  await operations.query(`select tenancy.displace('acme')`);
  await expect(stateOf('acme')).resolves.toBeUndefined();
  await expect(stateOf('globex')).resolves.toBe('active');
});

it.each(['app', 'authorizer', 'control'] as const)('is not for the role %s', async (role) => {
  const client = await database.connectAs(role);
  for (const call of [
    `make_home('umbrella')`,
    `place('globex', 'pool', 'suspended')`,
    `displace('globex')`,
    `drop_home('globex', 1, 1)`,
  ])
    await expect(client.query(`select tenancy.${call}`)).rejects.toMatchObject({ code: '42501' });
});

// The registry was told of none of this, which is class 33.
it('the audit finds no way around the policies', async () => {
  expect((await database.owner.query('select * from tenancy.audit() where class <> 33')).rows).toEqual([]);
});

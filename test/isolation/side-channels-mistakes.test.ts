import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { failureOf, runAs } from '../helpers/run-as.ts';
import { Attack, nested, secret, throughTheTable } from './side-channels/attack.ts';

/** What a colleague may make with good intentions, what injected SQL gets by it, and that protect() or the audit says so. */
let attack: Attack;

beforeAll(async () => {
  attack = await Attack.prepare();
  await attack.api.postgres.superuser.query(
    'create schema ref authorization tenantry_owner; grant usage on schema ref to tenantry_app',
  );
});
afterAll(() => attack[Symbol.asyncDispose]());
afterEach(async () => {
  await attack.api.postgres.owner.query(`drop table if exists pool.items, ref.codes cascade`);
});

const findings = async (): Promise<unknown[]> => {
  const { rows } = await attack.api.postgres.owner.query('select class, severity, object from tenancy.audit()');
  return rows;
};

/** Codes that all tenants share, with privileges of the application role, and a table of tenants that references them. */
async function makeItems(privileges: string, action = ''): Promise<void> {
  await attack.api.postgres.owner.query(`create table ref.codes (code text primary key);
    insert into ref.codes values ('a'), ('b');
    grant ${privileges} on ref.codes to tenantry_app;
    create table pool.items (tenant_id text, id int, code text references ref.codes ${action}, primary key (tenant_id, id))`);
}
const protectItems = () => attack.api.postgres.owner.query(`select tenancy.protect('pool.items')`);
const victimHas = (code: string) =>
  runAs(attack.api.postgres.app, 'victim', 'insert into items values (%1$L, 1, %2$L) returning id', ['victim', code]);

describe('a restrictive policy', () => {
  it('shows values of others by its errors, since it comes before the policy of the kernel; the audit finds it', async () => {
    const { owner } = attack.api.postgres;
    await owner.query(
      `create policy visible on pool.projects as restrictive for select using (description::date > '2000-01-01')`,
    );
    const told = await attack.tell('select name from projects tablesample system (100)');
    const found = await findings();
    await owner.query(`select tenancy.protect('pool.projects')`);
    expect(told).toMatch(/^22007 .*secret-of-victim-\d+/);
    expect(found).toEqual([{ class: 15, severity: 'error', object: 'policy visible on pool.projects' }]);
    expect(await findings()).toEqual([]);
  });
});

describe('a foreign key to a table in which tenants may delete', () => {
  it('would delete rows of others, and change them, so protect() refuses it and the audit finds it', async () => {
    await makeItems('insert', 'on delete cascade on update cascade');
    await protectItems();
    await victimHas('b');
    await attack.api.postgres.owner.query('grant select (code), update, delete on ref.codes to tenantry_app');
    await attack.get(`update ref.codes set code = 'mine' where code = 'b' returning code`);
    const changed = await runAs(attack.api.postgres.app, 'victim', 'select code from items');
    await attack.get(`delete from ref.codes where code = 'mine' returning code`);
    const left = await runAs(attack.api.postgres.app, 'victim', 'select code from items');
    expect([changed, left]).toEqual([[{ code: 'mine' }], []]);
    expect(await findings()).toEqual([
      { class: 12, severity: 'error', object: 'constraint items_code_fkey on pool.items' },
    ]);
    expect(await failureOf(protectItems())).toMatchObject({
      code: 'TN008',
      message: expect.stringContaining(
        'foreign key items_code_fkey leads to ref.codes, where tenantry_app has delete, update',
      ),
    });
  });
});

describe('a shared table of which whole rows can be read', () => {
  it('tells by xmax what a write of another tenant has referenced, so the audit warns; columns do not', async () => {
    const look = 'select code, xmax::text <> %L as is_referenced from ref.codes order by code'.replace('%L', `'0'`);
    await makeItems('select');
    await protectItems();
    await victimHas('b');
    expect(await attack.get(look)).toEqual([
      { code: 'a', is_referenced: false },
      { code: 'b', is_referenced: true },
    ]);
    expect(await findings()).toEqual([{ class: 36, severity: 'warning', object: 'ref.codes' }]);
    await attack.api.postgres.owner.query((await remedies()).join(';'));
    expect(await attack.tell(look)).toMatch(/^42501 /);
    expect(await attack.get('select * from ref.codes')).toHaveLength(2);
    expect(await runAs(attack.api.postgres.app, 'victim', `update items set code = 'a' returning code`)).toHaveLength(
      1,
    );
  });

  const remedies = async (): Promise<string[]> => {
    const { rows } = await attack.api.postgres.owner.query<{ remedy: string }>('select remedy from tenancy.audit()');
    return rows.map(({ remedy }) => remedy);
  };
});

describe('a function that runs text, with the rights of its caller', () => {
  const lock = 4_711;
  const takesLock = async (name: string): Promise<boolean> => {
    const { app, superuser } = attack.api.postgres;
    const inner = `select name from projects where case when (''{"${name}": 1}''::jsonb)[description] is not null
      then (select pg_try_advisory_xact_lock(${lock})) else false end`;
    const settings = ['cpu_operator_cost', ...throughTheTable].map(
      (setting) => `set_config('${setting}', '${setting === 'cpu_operator_cost' ? '0.0025' : 'off'}', true)`,
    );
    await app.query('begin');
    await attack.get(`with s as materialized (select ${settings.join(' || ')} as x)
      select r from s, lateral pool.rows_of(left(s.x, 0) || '${inner}') r`);
    const { rows } = await superuser.query('select from pg_locks where objid = $1', [lock]);
    await app.query('rollback');
    return rows.length > 0;
  };

  it('plans it under settings of the statement, so that it tells values of others; the audit finds it', async () => {
    const { owner } = attack.api.postgres;
    await owner.query(`create function pool.rows_of(q text) returns setof text language plpgsql
      as 'begin return query execute q; end'; grant execute on function pool.rows_of to tenantry_app`);
    const told = [await takesLock(secret(7)), await takesLock('nobody has it')];
    const found = await findings();
    await owner.query('drop function pool.rows_of');
    expect(told).toEqual([true, false]);
    expect(found).toEqual([{ class: 35, severity: 'error', object: 'pool.rows_of(text)' }]);
  });

  it('is not needed: the kernel runs text, and plans it so that policies come first', async () => {
    const { owner } = attack.api.postgres;
    await owner.query(`create function pool.rows_of(q text) returns setof text language sql
      as $$ select r::text from tenancy.run(current_setting('tenancy.capability'), 'pool', q) r $$;
      grant execute on function pool.rows_of to tenantry_app`);
    const told = [await takesLock(secret(7)), await takesLock('nobody has it')];
    const found = await findings();
    await owner.query('drop function pool.rows_of');
    expect([told, found]).toEqual([[false, false], []]);
  });
});

describe('a partial index', () => {
  it('counts rows of all tenants by its predicate, so the audit warns', async () => {
    const { owner } = attack.api.postgres;
    await owner.query(`create index guess on pool.projects (tenant_id) where description = '${secret(7)}'`);
    const told = await attack.get(`select reltuples::int as rows from pg_class where relname = 'guess'`);
    const found = await findings();
    await owner.query('drop index pool.guess');
    expect(told).toEqual([{ rows: 1 }]);
    expect(found).toEqual([{ class: 37, severity: 'warning', object: 'pool.guess on pool.projects' }]);
  });
});

describe('counters of the server', () => {
  it('tell whether an update by another tenant has changed what is indexed', async () => {
    const { app } = attack.api.postgres;
    const counter = async (): Promise<number> => {
      await app.query('select pg_stat_force_next_flush()');
      const [row] = await attack.get(`select pg_stat_get_tuples_hot_updated('pool.projects'::regclass)::int as n`);
      return Number(row?.n);
    };
    const update = (column: string) =>
      runAs(app, 'victim', `update projects set ${column} = ${column} || 'x' where name = %1$L returning id`, [
        secret(3),
      ]);
    const before = await counter();
    await update('description');
    const between = await counter();
    await update('name');
    expect([between - before, (await counter()) - between]).toEqual([1, 0]);
  });
});

describe('a limit of time', () => {
  it('that injected SQL lifts for the next statement of its transaction is back before that one starts', async () => {
    const { app } = attack.api.postgres;
    const lift = `select set_config('statement_timeout', '0', true)`;
    const limit = async () => (await app.query('show statement_timeout')).rows;
    await app.query('begin');
    await attack.get(lift);
    const afterOne = await limit();
    await attack.get(nested(['enable_seqscan'], lift));
    expect([afterOne, await limit()]).toEqual([[{ statement_timeout: '28s' }], [{ statement_timeout: '28s' }]]);
    await app.query('rollback');
  });
});

describe('a seed of random()', () => {
  it('is left over by SQL of another tenant, also when the session is wiped, and decides no uuid', async () => {
    const { app } = attack.api.postgres;
    const draw = async () => {
      await attack.get('select setseed(0.5)::text');
      await app.query('discard all');
      return runAs(app, 'victim', 'select random() as number, gen_random_uuid() as id');
    };
    const [[first], [second]] = [await draw(), await draw()];
    expect(first?.number).toBe(second?.number);
    expect(first?.id).not.toBe(second?.id);
  });
});

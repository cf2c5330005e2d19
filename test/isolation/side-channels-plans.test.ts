import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { explainAs } from '../helpers/explain.ts';
import { failureOf, runAs } from '../helpers/run-as.ts';
import { Attack, own, secret, throughIndexes, throughTheTable, victims } from './side-channels/attack.ts';

/** What injected SQL learns of other tenants from how Postgres plans and counts, without being shown a row. */
let attack: Attack;

beforeAll(async () => {
  attack = await Attack.prepare();
});
afterAll(() => attack[Symbol.asyncDispose]());

/** Statements by which SQL might get at a plan. */
const explains = [
  'explain select from projects',
  'EXPLAIN (analyze, format json) select from projects',
  '/* a /* nested */ comment */ explain select from projects',
  '-- a line\nexplain select from projects',
  '\t\v\f\r\n explain select from projects',
  '\u00a0explain select from projects',
  '((explain select from projects))',
  'with p as (explain select from projects) select from p',
  'select from (explain select from projects) p',
  `select query_to_xml('explain select from projects', true, false, '')`,
  `select * from ts_stat('explain select from projects')`,
  `select ts_rewrite('a'::tsquery, 'explain select from projects')`,
  `select tenancy.run_batch(current_setting('tenancy.capability'), 'pool', '[{"statement": "explain select from projects"}]')`,
];

const hit = `select from projects where name = '${secret(7)}'`;
const miss = `select from projects where name = 'nobody has it'`;

describe('EXPLAIN ANALYZE with the login of the application', () => {
  it('tells by "rows removed" how many rows all tenants have together, and not whether another has a value', async () => {
    const plan = await attack.planOf(hit, throughTheTable);
    expect(plan).toContain(`Rows Removed by Filter: ${own + victims}`);
    expect(plan).toBe(await attack.planOf(miss, throughTheTable));
  });

  it('tells nothing of others through an index: each begins with tenant_id, and so does every search in it', async () => {
    const named = (name: string) => `select from projects where tenant_id = any ('{victim,x}') and name = '${name}'`;
    const plan = await attack.planOf(named(secret(7)), throughIndexes);
    expect(plan).toMatch(/Index Cond: .*\(tenant_id = ANY \(ARRAY\[\(InitPlan 1\)\.col1\]\)\)/);
    expect(plan).not.toContain('Rows Removed');
    expect(plan).toBe(await attack.planOf(named('nobody has it'), throughIndexes));
  });

  it('would tell what another tenant has through an index that does not, which protect() refuses and the audit finds', async () => {
    const { owner, superuser } = attack.api.postgres;
    const described = (text: string) => `select from projects where description = '${text}'`;
    await superuser.query('begin; create index telling on pool.projects (description); commit; analyze pool.projects');
    const [found, missed] = [
      await attack.planOf(described(secret(7)), throughIndexes),
      await attack.planOf(described('nobody has it'), throughIndexes),
    ];
    expect(await failureOf(owner.query(`select tenancy.protect('pool.projects')`))).toMatchObject({ code: 'TN008' });
    const { rows } = await owner.query('select object from tenancy.audit() where class = 29');
    await superuser.query('drop index pool.telling');
    expect(found).toContain('Rows Removed by Filter: 1');
    expect(missed).not.toContain('Rows Removed');
    expect(rows).toEqual([{ object: 'pool.telling on pool.projects' }]);
  });
});

describe('EXPLAIN', () => {
  it.each(explains)('is refused to injected SQL: %s', async (statement) => {
    expect(await attack.tell(statement)).toMatch(/^(TN010|42601|42P11|22023|XX000|0A000) /);
    expect(await attack.getWith([], statement)).toMatch(/^(TN010|42601|42P11|22023|XX000|0A000) /);
  });

  it('with the login of the application tells nothing by its estimates: there are no statistics of values', async () => {
    const estimate = async (below: string) => {
      const statement = `select from projects where description < '${below}'`;
      const [plan] = await explainAs(attack.api.postgres.app, 'mallory', 'costs on', statement);
      return Number(/rows=(\d+)/.exec(String(plan))?.[1]);
    };
    expect(await estimate('secret-of-victim-3')).toBe(await estimate('n'));
  });
});

describe('a plan', () => {
  it('is the same whatever is compared, so that nothing which depends on it tells how common a value is', async () => {
    const order = (below: string) =>
      attack.get(`select a.name from projects a join (values ('mine-3'), ('mine-2'), ('mine-1')) v (n) on a.name = n
        join generate_series(1, 1) on true where a.description < '${below}' or a.description < 'n'`);
    const [few, many] = [await order('a'), await order('secret-of-victim-9')];
    expect(few).toHaveLength(own);
    expect(many).toHaveLength(own);
    expect(few).toEqual(many);
    const { rows } = await attack.api.postgres.superuser.query(
      `select attname from pg_stats where schemaname = 'pool' order by 1`,
    );
    expect(new Set(rows.map(({ attname }: { attname: string }) => attname))).toEqual(new Set(['tenant_id']));
  });
});

describe('timing', () => {
  /** Entries or rows that Postgres has gone through for a statement, which is what its time depends on. */
  const touched = async (relation: string, condition: string, settings: readonly string[]) => {
    const counter = `pg_stat_get_xact_tuples_returned('pool.${relation}'::regclass)`;
    const told = await attack.getWith(
      settings,
      `with earlier as materialized (select ${counter} as n),
         probe as materialized (select earlier.n, x.found from earlier,
           lateral (select count(*) as found from projects where ${condition} and earlier.n >= 0 offset 0) x)
       select ${counter} - probe.n as touched, probe.found from probe`,
    );
    return Number(/"touched":(\d+)/.exec(told)?.[1]);
  };
  const index = 'projects_tenant_id_name_key';

  it('has nothing to measure in an index: a search meets entries of its own tenant alone', async () => {
    expect(await touched(index, `name = '${secret(7)}'`, throughIndexes)).toBe(0);
    expect(await touched(index, `name = 'nobody has it'`, throughIndexes)).toBe(0);
    expect(await touched(index, `name = 'mine-1'`, throughIndexes)).toBe(1);
  });

  it('of a scan of the whole table grows with the rows of all tenants, whatever they hold', async () => {
    expect(await touched('projects', `name = '${secret(7)}'`, throughTheTable)).toBe(own + victims);
    expect(await touched('projects', `name = 'nobody has it'`, throughTheTable)).toBe(own + victims);
  });
});

describe('the catalog and its statistics', () => {
  it('tell how much all tenants of a schema have together, and which schemas there are', async () => {
    const [table] = await attack.get(
      `select reltuples::int as rows from pg_class where oid = 'pool.projects'::regclass`,
    );
    expect(table).toEqual({ rows: own + victims });
    expect(await attack.tell('select nspname from pg_namespace')).toContain('"pool"');
  });

  it('tell no value: statistics of protected tables are hidden', async () => {
    expect(await attack.get(`select * from pg_stats where schemaname = 'pool'`)).toEqual([]);
    expect(await attack.get(`select * from pg_stats_ext where schemaname = 'pool'`)).toEqual([]);
    expect(await attack.tell('select * from pg_statistic')).toMatch(/^42501 /);
  });
});

describe('places and numbers of rows', () => {
  it('ctid and xmin of its own rows tell how much others write in between', async () => {
    const insert = `insert into projects (name) values (%1$L) returning ctid::text as place, xmin::text as transaction`;
    const { app } = attack.api.postgres;
    const [before] = await runAs(app, 'mallory', insert, ['before']);
    for (const name of ['x', 'y', 'z']) await runAs(app, 'victim', insert, [name]);
    const [after] = await runAs(app, 'mallory', insert, ['after']);
    expect(Number(after?.transaction) - Number(before?.transaction)).toBe(4);
    expect(after?.place).not.toBe(before?.place);
    await runAs(app, 'mallory', `delete from projects where name in ('before', 'after') returning id`);
    await runAs(app, 'victim', `delete from projects where name in ('x', 'y', 'z') returning id`);
  });

  it('a row cannot be fetched by its place', async () => {
    const { rows } = await attack.api.postgres.superuser.query<{ place: string }>(
      `select ctid::text as place from pool.projects where tenant_id = 'victim' limit 1`,
    );
    expect(await attack.get(`select * from projects where ctid = '${rows[0]?.place}'`)).toEqual([]);
  });

  it('a row is not followed to where its versions are, which a stolen login could do: it would tell what another tenant changes', async () => {
    const { app, superuser } = attack.api.postgres;
    const where = async () => {
      const { rows } = await superuser.query<{ place: string }>(
        `select ctid::text as place from pool.projects where name = '${secret(5)}'`,
      );
      return String(rows[0]?.place);
    };
    const before = await where();
    await runAs(app, 'victim', `update projects set version = 2 where name = '${secret(5)}' returning id`);
    const follow = (name: string) => `select ${name}('pool.projects', '${before}')::text as place`;
    expect((await app.query(follow('currtid2'))).rows).toEqual([{ place: await where() }]);
    for (const name of ['currtid2', 'CurrTID2', '"currtid2"', 'pg_catalog . currtid2', 'u&"curr\\0074id2"']) {
      expect(await attack.tell(follow(name))).toMatch(/^TN010 /);
      expect(await attack.getWith([], follow(name).replaceAll(`'`, `''`))).toMatch(/^(TN010|42601) /);
    }
    const words = await runAs(app, 'mallory', 'select %1$L::text as said', ['currtid2(pool.projects)']);
    expect(words).toEqual([{ said: 'currtid2(pool.projects)' }]);
  });

  it('no sequence can be read or used, also that of an identity column', async () => {
    const { owner } = attack.api.postgres;
    await owner.query(`create table pool.invoices
      (tenant_id text, number bigint generated always as identity, primary key (tenant_id, number))`);
    await owner.query(`select tenancy.protect('pool.invoices')`);
    for (const text of [
      `nextval('invoices_number_seq')`,
      `currval('invoices_number_seq')`,
      'last_value from invoices_number_seq',
    ])
      expect(await attack.tell(`select ${text}`)).toMatch(/^42501 /);
    const values = await attack.get('select last_value from pg_sequences');
    expect(values).toContainEqual({ last_value: null });
    expect(values.filter(({ last_value: value }) => value !== null)).toEqual([]);
    await owner.query('drop table pool.invoices');
  });
});

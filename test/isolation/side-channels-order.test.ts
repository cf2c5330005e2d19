import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyMigrations, readAllMigrations } from '../../shared/database/migrator.ts';
import { capabilityFor } from '../helpers/capability.ts';
import { executeWith } from '../helpers/database-template.ts';
import { explainAs } from '../helpers/explain.ts';
import { failureOf, runAs } from '../helpers/run-as.ts';
import { Attack, nested, off, throughIndexes, throughTheTable } from './side-channels/attack.ts';

/**
 * What a condition of a statement does to a row before the policy has hidden that row. Postgres takes conditions in the order of their
 * costs, and puts those that show nothing by themselves (`<` of text, numbers and times; is null; a look into a document) before a policy's
 * if they are cheaper. What stands behind such a condition and sees no column, so a function that takes a lock, changes a setting or fails, then
 * tells whether a row of another tenant has met the condition: one bit a statement. `tenancy.enter` has it plan otherwise.
 */
let attack: Attack;

beforeAll(async () => {
  attack = await Attack.prepare();
});
afterAll(() => attack[Symbol.asyncDispose]());

/** Ways through a table: by index, by its pages, by all that Postgres has. */
const everyWay = [
  { way: 'every kind of scan', settings: [] },
  { way: 'indexes', settings: throughIndexes },
  { way: 'scans of the whole table', settings: throughTheTable },
];

/** Statements of many shapes, with a condition on a table that is read in each. */
const shapes: readonly ((condition: string) => string)[] = [
  (condition) => `select from projects where ${condition}`,
  (condition) => `select from projects where not archived and ${condition}`,
  (condition) => `select from projects where ${condition} order by created_at, id limit 1`,
  (condition) => `select from projects where ${condition} for update`,
  (condition) => `select count(*) from projects where ${condition}`,
  (condition) => `select min(created_at) from projects where ${condition}`,
  (condition) => `select from projects where tenant_id = 'victim' and ${condition}`,
  (condition) => `select from projects where ctid > '(0,0)' and ${condition}`,
  (condition) => `select from projects tablesample system (100) where ${condition}`,
  (condition) => `select from projects where 1 = version and ${condition}`,
  (condition) => `select from projects where (select 1) = 1 and ${condition}`,
  (condition) => `select from (select name as n from projects) a join projects on n < name and ${condition}`,
  (condition) => `select from (values (1)) v (n) left join projects on ${condition}`,
  (condition) =>
    `select from (values (1)) v (n) full join (select version from projects where ${condition}) p on n = version`,
  (condition) =>
    `select from (values (1)) v (n) where not exists (select from projects where version = n and ${condition})`,
  (condition) =>
    `select from (values (1)) v (n), lateral (select from projects where version = n and ${condition} offset 0) p`,
  (condition) => `select (select name from projects where ${condition} limit 1)`,
  (condition) =>
    `select from (values ('mine-1')) v (n) where n in (select name from projects where ${condition}) or n = 'x'`,
  (condition) => `with p as materialized (select from projects where ${condition}) select from p`,
  (condition) => `select from projects where ${condition} union all select from projects where ${condition}`,
  (condition) => `select from (select * from projects union all select * from projects) p where ${condition}`,
  (condition) => `update projects set name = name where ${condition} returning id`,
  (condition) => `delete from projects where ${condition} returning id`,
  (condition) => `insert into tasks (project_id, title) select id, name from projects where ${condition} returning id`,
];

/** Met by rows of the victim, in ways that Postgres takes for harmless: as cheap as the condition of a policy, or cheaper. */
const harmless: Readonly<Record<string, string>> = {
  'a comparison': `description >= 'secret-of-victim-1'`,
  'a look into a document': `('{"secret-of-victim-7": 1}'::jsonb)[description] is not null`,
  'a null test': 'description is not null',
};
const foreign = (condition: string) => `name > 'n' and ${condition}`;

const lockKey = 47_114_711;

/** Whether a statement has taken the lock that only its conditions take. */
async function takesLock(settings: readonly string[], statement: string): Promise<boolean> {
  const { app } = attack.api.postgres;
  await app.query('begin');
  try {
    for (const name of settings) await app.query(`select set_config($1, 'off', true)`, [name]);
    await app.query('select * from tenancy.run($1, $2, $3, read_only => false)', [
      capabilityFor('mallory'),
      'pool',
      statement.replaceAll('%', '%%'),
    ]);
    const held = 'select from pg_locks where pid = pg_backend_pid() and objid = $1';
    return (await app.query(held, [lockKey])).rowCount !== 0;
  } finally {
    await app.query('rollback');
  }
}

/** In every place where an effect may hide: a function without columns, or a sub-query that is asked only when it is needed. */
const effects: readonly ((condition: string) => string)[] = [
  (condition) => `${condition} and pg_try_advisory_xact_lock(${lockKey})`,
  (condition) => `case when ${condition} then (select pg_try_advisory_xact_lock(${lockKey})) else false end`,
];

describe('an effect of a condition', () => {
  it('shows that a row of its own has met what stands before it', async () => {
    for (const effect of effects)
      expect(await takesLock([], `select from projects where ${effect(`description = 'mine-1'`)}`)).toBe(true);
  });

  describe.each(everyWay)('never shows, through $way, that a row of another tenant has met', ({ settings }) => {
    it.each(Object.entries(harmless))('%s', async (_, condition) => {
      for (const shape of shapes)
        for (const effect of effects) {
          const statement = shape(effect(foreign(condition)));
          expect(await takesLock(settings, statement), statement).toBe(false);
        }
    });
  });
});

describe('an index of another method than btree', () => {
  it('would tell by whether the tenant was proven, so protect() refuses it and the audit finds it', async () => {
    const { owner, superuser } = attack.api.postgres;
    const proven = (below: string) =>
      attack.getWith(
        ['enable_seqscan', 'enable_tidscan'],
        `select (select 1 from pool.projects where description >= 'secret-of-victim-1' and description < '${below}' limit 1) as found,
           current_setting('tenancy.proven', true) as proven`,
      );
    expect(await proven('secret-of-victim-2')).toBe(await proven('secret-of-victim-1'));
    await superuser.query('create index telling on pool.projects using brin (tenant_id, description)');
    expect(await failureOf(owner.query(`select tenancy.protect('pool.projects')`))).toMatchObject({ code: 'TN008' });
    const { rows } = await owner.query('select object from tenancy.audit() where class = 29');
    await superuser.query('drop index pool.telling');
    expect(rows).toEqual([{ object: 'pool.telling on pool.projects' }]);
  });
});

describe('an error', () => {
  const ask = (table: string, below: string, capability?: string) =>
    attack.getWith(
      throughTheTable,
      `select set_config('tenancy.proven', 'pool', true), exists (select from ${table}
         where tenant_id >= 'victim' and tenant_id <= 'victim' and description < '${below}') as found`,
      capability,
    );

  it('of a statement without capability comes whatever the rows hold', async () => {
    expect(await ask('pool.projects', 'secret-of-victim-2', '')).toMatch(/^TN001 /);
    expect(await ask('pool.projects', 'secret-of-victim-1', '')).toMatch(/^TN001 /);
  });

  it('of a statement in another schema of the database comes whatever the rows hold', async () => {
    const { owner, superuser } = attack.api.postgres;
    const { tenant } = await readAllMigrations('migrations');
    await applyMigrations(executeWith(owner), 'tenant_victim', tenant);
    await owner.query(`select tenancy.set_placement('victim', 'pool', 'moved')`);
    await owner.query(`select tenancy.set_placement('victim', 'tenant_victim', 'active')`);
    await superuser.query('begin');
    await superuser.query(`select set_config('tenancy.capability', $1, true)`, [capabilityFor('victim')]);
    await superuser.query(`insert into tenant_victim.projects select * from pool.projects where tenant_id = 'victim'`);
    await superuser.query('commit');
    expect(await ask('tenant_victim.projects', 'secret-of-victim-2')).toMatch(/^TN004 /);
    expect(await ask('tenant_victim.projects', 'secret-of-victim-1')).toMatch(/^TN004 /);
    await owner.query(`select tenancy.set_placement('victim', 'tenant_victim', 'moved')`);
    await owner.query(`select tenancy.set_placement('victim', 'pool', 'active')`);
  });

  it.each(everyWay)('comes before any row of $way has met a condition', async ({ settings }) => {
    for (const shape of shapes) {
      for (const below of ['secret-of-victim-2', 'secret-of-victim-1']) {
        const statement = shape(`description < '${below}'`);
        // The one that tenancy.run would raise at its end is another.
        await expect(attack.get(nested(settings, statement, '')), statement).rejects.toMatchObject({
          code: 'TN001',
          where: expect.not.stringContaining('tenancy.leave') as string,
        });
      }
    }
  });
});

/**
 * Postgres takes what is said to be equal to a column for the same, compares it once, and reads rows by one of it. What a statement says is
 * equal to tenant_id, it can change while it runs.
 */
describe('a tenant that changes while a statement runs', () => {
  const name = `current_setting('application_name')`;
  const becomeVictim = `set_config('application_name', 'victim', true)`;
  const byLoops = ['enable_hashjoin', 'enable_mergejoin', 'enable_seqscan', 'enable_bitmapscan'];
  const ofVictim = async () =>
    (await attack.api.postgres.superuser.query(`select * from pool.projects where tenant_id = 'victim' order by id`))
      .rows;

  it.each([
    `select b.* from projects a, projects b where a.tenant_id = b.tenant_id and b.tenant_id = ${name} and a.name <> ${becomeVictim}`,
    `select * from projects where tenant_id = ${name} and ${becomeVictim} <> ''`,
    `select * from projects where ${name} = tenant_id and tenant_id = (select ${name}) and ${becomeVictim} <> ''`,
    `delete from projects b using projects a where a.tenant_id = b.tenant_id and b.tenant_id = ${name}
       and a.name <> ${becomeVictim} and b.name = case when a.name = 'mine-1' then 'secret-of-victim-3' else a.name end returning b.*`,
    `update projects b set tenant_id = 'mallory' from projects a where a.tenant_id = b.tenant_id and b.tenant_id = ${name}
       and a.name <> ${becomeVictim} and b.name = case when a.name = 'mine-1' then 'secret-of-victim-3' else a.name end returning b.*`,
  ])('reaches no row of the other: %s', async (statement) => {
    const before = await ofVictim();
    for (const settings of [[], byLoops, throughTheTable, throughIndexes])
      expect(await attack.getWith(settings, statement)).not.toContain('victim-');
    expect(await ofVictim()).toEqual(before);
  });
});

describe('MERGE', () => {
  it('fails at a row of another tenant if it reads no column, and changes nothing', async () => {
    const merge = `merge into projects using (values (1)) v on true when matched then update set version = 7`;
    expect(await attack.tell(`with m as (${merge}) select 1`)).toMatch(/^42501 target row violates row-level security/);
    const { rows } = await attack.api.postgres.superuser.query(
      'select count(*)::int as n from pool.projects where version = 7',
    );
    expect(rows).toEqual([{ n: 0 }]);
  });
});

interface Plan {
  readonly 'Relation Name'?: string;
  readonly 'Node Type': string;
  readonly Filter?: string;
  readonly 'Index Cond'?: string;
  readonly Plans?: readonly Plan[];
}

/** What a plan does to rows of tables, scan by scan: by what it finds them, and what it asks them first. */
function scansOf({ Plans: below = [], ...plan }: Plan): string[] {
  const isScan = plan['Node Type'].endsWith('Scan') && plan['Relation Name'] !== undefined;
  return [...(isScan ? [`${plan['Index Cond'] ?? ''} ${plan.Filter ?? ''}`] : []), ...below.flatMap(scansOf)];
}

describe('the condition of a policy', () => {
  // An index that it is searched by, or the first of what is asked of each row that was found.
  const isFirst = /^\(.*tenant_id = ANY \(ARRAY\[\(InitPlan|^ \(*(\w+\.)?tenant_id = ANY \(ARRAY\[\(InitPlan/;

  it.each(everyWay)('is the first that is asked by $way', async ({ settings }) => {
    for (const shape of shapes)
      for (const condition of [...Object.values(harmless), `tenant_id = current_setting('application_name')`]) {
        const statement = shape(condition);
        const planned = { ...off(settings), cpu_operator_cost: '0' };
        const [plans] = await explainAs(attack.api.postgres.app, 'mallory', 'format json', statement, planned);
        const scans = (plans as [{ Plan: Plan }]).flatMap(({ Plan: plan }) => scansOf(plan));
        expect(scans, statement).not.toEqual([]);
        for (const scan of scans) expect(scan, statement).toMatch(isFirst);
      }
  });
});

describe('how a statement is planned', () => {
  const cost = `select current_setting('cpu_operator_cost') as cost`;

  it('cannot be changed by what came before it', async () => {
    const { app } = attack.api.postgres;
    const spoil = `select set_config('cpu_operator_cost', '0.0025', false)`;
    expect(await attack.get(cost)).toEqual([{ cost: '0' }]);
    await attack.get(spoil);
    expect(await attack.get(cost)).toEqual([{ cost: '0' }]);
    expect(await attack.get(nested([], cost))).toEqual([{ answer: { cost: '0' } }]);
    const batch = JSON.stringify([{ statement: spoil }, { statement: cost }]);
    const { rows } = await app.query<{ run_batch: unknown }>('select tenancy.run_batch($1, $2, $3)', [
      capabilityFor('mallory'),
      'pool',
      batch,
    ]);
    expect(rows.at(-1)?.run_batch).toEqual([1, { cost: '0' }]);
    await app.query('discard all');
  });

  it.each([
    `select query_to_xml('select 1', true, false, '')`,
    `select pg_catalog . "query_to_xml" ('select 1', true, false, '')`,
    `select U&"query_to\\005fxml" ('select 1', true, false, '')`,
    `select u&"query_to!005fxml" uescape '!' ('select 1', true, false, '')`,
    `select QUERY_TO_XMLSCHEMA('select 1', true, false, '')`,
    `select query_to_xml_and_xmlschema('select 1', true, false, '')`,
    `select table_to_xml('projects', true, false, '')`,
    `select schema_to_xml('pool', true, false, '')`,
    `select database_to_xml(true, false, '')`,
    `select cursor_to_xml('c', 1, true, false, '')`,
    `select * from ts_stat('select to_tsvector(1::text)')`,
    `select ts_rewrite('a'::tsquery, 'select 1')`,
  ])('cannot be changed for SQL within it, which is refused: %s', async (statement) => {
    expect(await attack.tell(statement)).toMatch(/^TN010 /);
  });

  const xml = '($$select 1$$, true, false, $$$$)';
  it.each<[template: string, argument: string]>([
    [`select query_%1$s${xml}`, 'to_xml'],
    [`select query_%1$I${xml}`, 'to_xml'],
    [`select %1$s${xml}`, 'query_to_xml'],
    ['select * from ts_%1$s($$select to_tsvector($a$x$a$)$$)', 'stat'],
    ['select 1 as one --%1$L', `\n, query_to_xml${xml} --`],
    ['select 1 as one /* %1$L', `*/ , query_to_xml${xml} --`],
    ['select 1 as "%1$L"', `", query_to_xml${xml} --`],
    [`select '%1$L'`, `, query_to_xml${xml}, `],
    ['select $a$%1$L', `$a$, query_to_xml${xml} --`],
    ['select %1$s', `u&"query_to\\005fxml"${xml}`],
  ])('cannot be changed for SQL that an argument puts in, which is refused: %s', async (template, argument) => {
    const { app } = attack.api.postgres;
    expect(await failureOf(runAs(app, 'mallory', template, [argument]))).toMatchObject({ code: 'TN010' });
    const batch = [{ statement: template, arguments: [argument] }];
    const run = app.query('select tenancy.run_batch($1, $2, $3)', [
      capabilityFor('mallory'),
      'pool',
      JSON.stringify(batch),
    ]);
    expect(await failureOf(run)).toMatchObject({ code: 'TN010' });
  });

  it('is not read otherwise by settings and collations of a caller', async () => {
    const { superuser } = attack.api.postgres;
    await superuser.query(`create collation pool.turkish (provider = icu, locale = 'tr-TR')`);
    const texts = [
      `select ts_rewrIte('a'::tsquery, 'select 1')`,
      'explain select 1',
      'selectm',
      `select QUERY_TO_XML('select 1', true, false, '')`,
    ];
    for (const setting of ['on', 'off'])
      for (const collation of ['"C"', 'pool.turkish'])
        for (const text of texts) {
          const inner = `tenancy.run(current_setting('tenancy.capability'), 'pool', $i$${text}$i$ collate ${collation})`;
          const statement = `with s as materialized (select set_config('standard_conforming_strings', '${setting}', true))
            select answer from s, lateral ${inner} answer`;
          const { app } = attack.api.postgres;
          await app.query('begin');
          await app.query(`select tenancy.enter($1, 'pool', false, 'select 1', '[]')`, [capabilityFor('mallory')]);
          expect(await failureOf(app.query(statement)), `${text} ${collation} ${setting}`).toMatchObject({
            code: 'TN010',
          });
          await app.query('rollback');
        }
  });

  it('takes such words as values, where nothing but values can be put in', async () => {
    const values = ['u&"', 'table_to_xml %s', '--'];
    const template = 'select %1$L || %2$L || %3$L as "a text"';
    expect(await runAs(attack.api.postgres.app, 'mallory', template, values)).toEqual([{ 'a text': values.join('') }]);
  });

  it('refuses nothing that only looks alike', async () => {
    await attack.get(`select 1 as ts_status, 2 as auto_to_xml, 7&"u" as masked from (select 3 as "u") q`);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { capabilityFor, signingKey } from '../helpers/capability.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';
import { runAs, runWith } from '../helpers/run-as.ts';

/**
 * What an attacker can do who has found a hole in one tenant's request and writes SQL of their own there: every statement below
 * runs as `mallory`, as application code would run it. None may show or change a row of `victim`.
 */
const canary = 'the-secret-of-victim';
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.addTenants('mallory', 'victim');
});
afterAll(() => database[Symbol.asyncDispose]());

beforeEach(async () => {
  for (const tenant of ['mallory', 'victim']) await runAs(database.app, tenant, 'delete from projects returning id');
  const insert = 'insert into projects (name, description) values (%1$L, %2$L) returning id';
  const [project] = await runAs(database.app, 'victim', insert, ['victim', canary]);
  await runAs(database.app, 'victim', 'insert into tasks (project_id, title) values (%1$L, %2$L) returning id', [
    project?.id,
    canary,
  ]);
  await runAs(database.app, 'mallory', insert, ['mallory', 'own']);
});

/** All that the victim has, read by a superuser. */
async function victimsRows(): Promise<unknown> {
  const { rows } = await database.superuser.query(
    `select (select jsonb_agg(p order by id) from pool.projects p where tenant_id = 'victim') as projects,
            (select jsonb_agg(t order by id) from pool.tasks t where tenant_id = 'victim') as tasks,
            (select count(*) from pool.projects where tenant_id not in ('victim', 'mallory')) as strays`,
  );
  return rows[0];
}

const forgedKey = { ...signingKey, secret: Buffer.from('guessed-key-guessed-key-guessed-key-guessed') };
const forgeries = {
  'a forged capability': () => capabilityFor('victim', { key: forgedKey }),
  'a truncated capability': () => capabilityFor('victim').slice(0, -1),
  'an expired capability': () => capabilityFor('victim', { secondsLeft: -1 }),
  'a capability without mac': () => `v1.k1.victim.${Math.floor(Date.now() / 1000) + 300}.`,
  'its own capability with the name changed': () => capabilityFor('mallory').replace('mallory', 'victim'),
  'an empty capability': () => '',
};

/** Each gets the text of a capability to try. */
const attacks: Record<string, (capability: string) => string> = {
  'set_config in the select list': (c) => `select set_config('tenancy.capability', '${c}', true), p.* from projects p`,
  'set_config in a materialized CTE': (c) =>
    `with x as materialized (select set_config('tenancy.capability', '${c}', true)) select p.* from x, projects p`,
  'set_config for the session': (c) => `select set_config('tenancy.capability', '${c}', false), p.* from projects p`,
  'set_config in a lateral join': (c) =>
    `select p.* from (select set_config('tenancy.capability', '${c}', true) s offset 0) x left join lateral (select * from projects where x.s is not null) p on true`,
  'set_config behind a limit': (c) =>
    `select * from (select set_config('tenancy.capability', '${c}', true) limit 1) x cross join projects`,
  'set_config in an update': (c) =>
    `update projects set description = set_config('tenancy.capability', '${c}', true) returning *`,
  'set_config in a where clause': (c) =>
    `delete from projects where set_config('tenancy.capability', '${c}', true) is not null returning *`,
  'run inside run': (c) => `select * from tenancy.run('${c}', 'pool', 'select * from projects')`,
  'run_batch inside run': (c) =>
    `select * from tenancy.run_batch('${c}', 'pool', '[{"statement": "select * from projects"}]')`,
  'enter inside run': (c) => `select tenancy.enter('${c}', 'pool', false, 'select 1', '[]'), p.* from projects p`,
  'switching row security off': () => `select set_config('row_security', 'off', true), p.* from projects p`,
  'switching the role by setting': () => `select set_config('role', 'tenantry_owner', true), p.* from projects p`,
  'switching the session authorization': () =>
    `select set_config('session_authorization', 'tenantry_owner', true), p.* from projects p`,
  'switching the search path': () =>
    `select set_config('search_path', 'registry, tenancy', true), p.* from pool.projects p`,
  'naming another tenant': () => `select * from projects where tenant_id = 'victim'`,
  'an always true condition': () => `select * from projects where name = '' or true or tenant_id = 'victim'`,
  'a closing parenthesis': () => `select * from (select * from projects) x where (1 = 1) or (tenant_id = 'victim')`,
  'a union': () => `select name, description from projects union all select title, status from tasks`,
  'a sub-select': () => `select (select string_agg(title, ',') from tasks where tenant_id = 'victim') as found`,
  'an upsert onto the row of another': () =>
    `insert into projects (tenant_id, id, name) select 'victim', id, 'taken' from projects on conflict (tenant_id, name) do update set description = 'taken' returning *`,
  'an insert for another': () => `insert into projects (tenant_id, name) values ('victim', 'planted') returning *`,
  'moving a row to another': () => `update projects set tenant_id = 'victim' returning *`,
  'a merge': () =>
    `merge into projects p using (select 'victim' t) s on p.tenant_id = s.t when matched then update set name = 'taken' when not matched then insert (tenant_id, name) values (s.t, 'planted') returning *`,
  'a delete of everything': () => `delete from projects returning *`,
  'locking rows': () => `select * from projects for update`,
  'a stacked statement': () => `select 1; update projects set name = 'taken'`,
  'a stacked SET ROLE': () => `select 1; set role tenantry_owner; select * from projects`,
  'SET ROLE': () => `set role tenantry_owner`,
  'SET SESSION AUTHORIZATION': () => `set session authorization tenantry_owner`,
  RESET: () => `reset tenancy.capability`,
  'RESET ALL': () => `reset all`,
  'a comment that cuts the statement': () => `select * from projects -- where tenant_id = 'mallory'`,
  COPY: () => `copy projects to stdout`,
  'COPY to a program': () => `copy projects to program 'cat'`,
  DO: () => `do $$ begin perform 1; end $$`,
  'a cursor that outlives the call': () => `declare c cursor with hold for select * from projects`,
  PREPARE: () => `prepare p as select * from projects`,
  'EXPLAIN ANALYZE': () => `explain (analyze, verbose) select * from projects`,
  query_to_xml: () => `select query_to_xml('select * from pool.projects', true, false, '')`,
  table_to_xml: () => `select table_to_xml('pool.projects', true, false, '')`,
  'the statistics': () =>
    `select most_common_vals::text, histogram_bounds::text from pg_stats where schemaname = 'pool'`,
  'the signing keys': () => `select * from tenancy.signing_keys`,
  'the placements': () => `select * from tenancy.placements`,
  'the registry': () => `select * from registry.tenants`,
  'a leaky operator': () =>
    `select * from projects where 1 / (case when description = '${canary}' then 0 else 1 end) = 1`,
  'a cast that reports its value': () => `select * from projects where description::int = 1`,
  'a large object': () => `select lo_from_bytea(0, (select string_agg(description, '') from projects)::bytea)`,
  'a file': () => `select pg_read_file('PG_VERSION')`,
  'switching triggers off': () => `select set_config('session_replication_role', 'replica', true), p.* from projects p`,
  'a foreign key as an oracle': () =>
    `insert into tasks (project_id, title) select id, 'x' from projects where tenant_id = 'victim' returning *`,
};

const cases = Object.entries(attacks).flatMap(([attack, statement]) =>
  Object.entries(forgeries)
    // Attacks that use no capability are tried once.
    .filter((_, index) => statement.length > 0 || index === 0)
    .map(([forgery, make]) => ({
      title: statement.length > 0 ? `${attack} with ${forgery}` : attack,
      run: () => statement(make()),
    })),
);

describe('injected SQL reaches no row of another tenant', () => {
  it.each(cases)('$title', async ({ run }) => {
    const before = await victimsRows();
    const statement = run().replaceAll('%', '%%');
    const shown = await runAs(database.app, 'mallory', statement).then(
      (rows) => JSON.stringify(rows),
      (error: Error & { detail?: string }) => `${error.message} ${error.detail ?? ''}`,
    );
    expect(shown).not.toContain(canary);
    expect(await victimsRows()).toEqual(before);
    // The next request on the same connection is its own tenant's again.
    expect(await runAs(database.app, 'victim', 'select description from projects')).toEqual([{ description: canary }]);
  });

  it('also with a good capability of its own for another schema', async () => {
    const attempt = runWith(database.app, capabilityFor('mallory'), 'select * from pool.projects', [], 'registry');
    await expect(attempt).rejects.toMatchObject({ code: 'TN004' });
  });

  it('and no lock outlasts its call to hold up the writes of another', async () => {
    const { rows } = await database.superuser.query<{ key: string }>(
      `select lock_key::text as key from tenancy.placements where tenant_id = 'victim'`,
    );
    await runAs(database.app, 'mallory', `select pg_advisory_lock(${rows[0]?.key})::text as taken`);
    await runAs(database.app, 'mallory', 'select 1 as next');
    const held = `select count(*)::int as held from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`;
    expect((await database.superuser.query(held)).rows).toEqual([{ held: 0 }]);
  });

  it('also through an argument: it stays a literal', async () => {
    for (const text of [
      `'; select set_config('role','x',true); --`,
      `\\'; drop table projects; --`,
      `%2$s`,
      `$$x$$`,
      `E'\\''`,
    ]) {
      const rows = await runAs(database.app, 'mallory', 'select %1$L::text as value from projects', [text]);
      expect(rows).toEqual([{ value: text }]);
    }
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mintCapability } from '../../shared/tenancy/index.ts';
import { capabilityFor, signingKey } from '../helpers/capability.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';
import { failureOf, runAs, runWith } from '../helpers/run-as.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.addTenants('acme', 'globex');
});
afterAll(() => database[Symbol.asyncDispose]());

const insertProject = 'insert into projects (name) values (%1$L) returning id, tenant_id';

describe('tenancy.run', () => {
  it('fills in the tenant and gives back rows as JSON', async () => {
    const [row] = await runAs(database.app, 'acme', insertProject, ['fills in']);
    expect(row).toMatchObject({ tenant_id: 'acme', id: expect.any(String) });
  });

  it('keeps quotes, backslashes, percent signs and NULL of arguments as they are', async () => {
    const text = `it's "50%" \\ %1$L %% $1 --`;
    const [row] = await runAs(database.app, 'acme', `select %1$L as text, %2$L::int as nothing, '100%%' as doubled`, [
      text,
      null,
    ]);
    expect(row).toEqual({ text, nothing: null, doubled: '100%' });
  });

  it('shows a tenant its own rows alone', async () => {
    await runAs(database.app, 'acme', insertProject, ['seen by acme']);
    const names = (await runAs(database.app, 'globex', 'select name from projects')).map((row) => row.name);
    expect(names).not.toContain('seen by acme');
  });

  it('raises "No tenant context set" without a capability, also for a statement that touches no table', async () => {
    for (const capability of [null, '']) {
      for (const statement of ['select 1', 'select * from projects', 'select * from projects where false']) {
        expect(await failureOf(runWith(database.app, capability, statement))).toEqual({
          code: 'TN001',
          message: 'No tenant context set',
        });
      }
    }
  });

  it('raises also when a batch touches no row, or no schema is given', async () => {
    const batch = `select * from tenancy.run_batch('', 'pool', '[{"statement": "select 1"}]')`;
    await expect(database.app.query(batch)).rejects.toMatchObject({ code: 'TN001' });
    await expect(database.app.query(`select * from tenancy.run_batch('', 'pool', '[]')`)).rejects.toMatchObject({
      code: 'TN001',
    });
    await expect(database.app.query(`select * from tenancy.run('', null, 'select 1')`)).rejects.toMatchObject({
      code: 'TN001',
    });
  });

  it('makes the transaction of a SELECT read-only, and of nothing else', async () => {
    const [select] = await runAs(database.app, 'acme', `  SELECT current_setting('transaction_read_only') as value`);
    const [cte] = await runAs(
      database.app,
      'acme',
      `with x as (select 1) select current_setting('transaction_read_only') as value`,
    );
    expect([select?.value, cte?.value]).toEqual(['on', 'off']);
  });

  it('leaves nothing set for the next statement of the connection', async () => {
    await runAs(database.app, 'acme', 'select 1 as one');
    const { rows } = await database.app.query(
      `select current_setting('tenancy.capability', true) as capability, current_setting('search_path') as path,
              current_setting('application_name') as application, current_setting('transaction_read_only') as read_only`,
    );
    expect(rows[0]).toEqual({ capability: '', path: '"$user", public', application: '', read_only: 'off' });
  });

  it('names the tenant in application_name, so that load can be split by tenant', async () => {
    const [row] = await runAs(database.app, 'acme', `select current_setting('application_name') as name`);
    expect(row).toEqual({ name: 'acme' });
  });

  it.each([
    ['stacked statements', 'select 1; delete from projects'],
    ['DML that returns nothing', 'delete from projects'],
    ['SET', 'set role tenantry_owner'],
    ['RESET', 'reset all'],
    ['DDL', 'create table pool.mine (id int)'],
    ['COPY', 'copy projects to stdout'],
    ['a block', 'do $$ begin perform 1; end $$'],
    ['transaction control', 'commit'],
  ])('refuses %s', async (_, statement) => {
    expect(await failureOf(runAs(database.app, 'acme', statement))).toMatchObject({
      code: expect.stringMatching(/^42P11$|^TN010$/),
    });
  });
});

describe('tenancy.run_batch', () => {
  const batch = async (statements: readonly object[]): Promise<unknown[]> => {
    const parameters = [capabilityFor('acme'), 'pool', JSON.stringify(statements)];
    const { rows } = await database.app.query('select * from tenancy.run_batch($1, $2, $3)', parameters);
    return rows.map((row: { run_batch: unknown }) => row.run_batch);
  };

  it('runs statements in order and says which row is whose', async () => {
    const rows = await batch([
      { statement: insertProject.replace('id, ', ''), arguments: ['batched'] },
      { statement: 'select name from projects where name = %1$L', arguments: ['batched'] },
      { statement: 'select 1 as one where false' },
    ]);
    expect(rows).toEqual([
      [0, { tenant_id: 'acme' }],
      [1, { name: 'batched' }],
    ]);
  });

  it('writes nothing if told that it reads', async () => {
    const parameters = [
      capabilityFor('acme'),
      'pool',
      JSON.stringify([{ statement: insertProject, arguments: ['x'] }]),
      true,
    ];
    const batch = database.app.query('select * from tenancy.run_batch($1, $2, $3, $4)', parameters);
    expect(await failureOf(batch)).toMatchObject({ code: '25006' });
  });

  it('does all or nothing', async () => {
    const failing = [{ statement: insertProject, arguments: ['half done'] }, { statement: 'select 1 / 0' }];
    expect(await failureOf(batch(failing))).toMatchObject({ code: '22012' });
    expect(await runAs(database.app, 'acme', `select from projects where name = 'half done'`)).toEqual([]);
  });
});

describe('a capability', () => {
  const attempt = (capability: string) => failureOf(runWith(database.app, capability, 'select 1'));

  it('is refused when any of its characters is changed', async () => {
    const good = capabilityFor('acme');
    for (let position = 0; position < good.length; position += 1) {
      const other = good[position] === 'a' ? 'b' : 'a';
      const forged = good.slice(0, position) + other + good.slice(position + 1);
      expect(await attempt(forged), forged).toMatchObject({ code: 'TN002' });
    }
  });

  it('is refused when cut off at any length', async () => {
    const good = capabilityFor('acme');
    for (let length = 1; length < good.length; length += 1) {
      expect(await attempt(good.slice(0, length))).toMatchObject({ code: 'TN002' });
    }
  });

  it('is refused when lengthened, split otherwise, or signed with another key', async () => {
    const good = capabilityFor('acme');
    const stranger = { keyId: 'k1', secret: Buffer.from('another-key-of-the-same-name-0123456789') };
    const unknown = { ...signingKey, keyId: 'k2' };
    for (const forged of [
      `${good}.`,
      `${good}A`,
      `${good}=`,
      good.replace('v1', 'v2'),
      good.replace('acme', 'ac.me'),
    ]) {
      expect(await attempt(forged), forged).toMatchObject({ code: 'TN002' });
    }
    expect(await attempt(capabilityFor('acme', { key: stranger }))).toMatchObject({ code: 'TN002' });
    expect(await attempt(capabilityFor('acme', { key: unknown }))).toMatchObject({ code: 'TN002' });
  });

  it('expires', async () => {
    expect(await attempt(capabilityFor('acme', { secondsLeft: -1 }))).toMatchObject({ code: 'TN003' });
  });

  it('does not speak for a tenant who is not at home here', async () => {
    expect(await attempt(capabilityFor('nobody'))).toMatchObject({ code: 'TN004' });
  });

  it('stays good while keys rotate, until its key is withdrawn', async () => {
    const next = { keyId: 'k2', secret: Buffer.from('the-next-signing-key-0123456789-0123456789') };
    const entry = (key: typeof next) => ({ keyId: key.keyId, secret: key.secret.toString() });
    const current = { keyId: signingKey.keyId, secret: Buffer.from(signingKey.secret) };
    const setKeys = (...keys: (typeof next)[]) =>
      database.owner.query('select tenancy.set_signing_keys($1)', [JSON.stringify(keys.map(entry))]);
    const ofNext = mintCapability(next, 'acme', Date.now() / 1000 + 60);
    try {
      await setKeys(next, current);
      expect(await runWith(database.app, ofNext, 'select 1 as one')).toEqual([{ one: 1 }]);
      expect(await runAs(database.app, 'acme', 'select 1 as one')).toEqual([{ one: 1 }]);
      await setKeys(next);
      expect(await attempt(capabilityFor('acme'))).toMatchObject({ code: 'TN002' });
    } finally {
      await setKeys(current);
    }
    expect(await runAs(database.app, 'acme', 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('is made by TypeScript and read by SQL in the same way for keys shorter and longer than a block', async () => {
    for (const length of [16, 64, 65, 200]) {
      const { rows } = await database.owner.query<{ mac: string }>(
        `select encode(sha256(tenancy.xor_pad($1, 92) || sha256(tenancy.xor_pad($1, 54) || convert_to($2, 'UTF8'))), 'hex') as mac`,
        [Buffer.alloc(length, 'k'), 'v1.k.acme.1'],
      );
      const [, , , , mac] = mintCapability({ keyId: 'k', secret: Buffer.alloc(length, 'k') }, 'acme', 1).split('.');
      expect(rows[0]?.mac).toBe(Buffer.from(mac ?? '', 'base64url').toString('hex'));
    }
  });
});

describe('the wall under the application', () => {
  it('refuses a direct statement without a tenant, on every tenant table', async () => {
    const [project] = await runAs(database.app, 'acme', insertProject, ['with a task']);
    await runAs(database.app, 'acme', 'insert into tasks (project_id, title) values (%1$L, %2$L) returning id', [
      project?.id,
      'x',
    ]);
    const insertKey = `insert into idempotency_keys (key, status, expires_at) values ('k', 'COMPLETED', 0) returning key`;
    await runAs(database.app, 'acme', insertKey);
    for (const table of ['projects', 'tasks', 'idempotency_keys']) {
      for (const statement of [`select * from pool.${table} where tenant_id = 'acme'`, `delete from pool.${table}`]) {
        expect(await failureOf(database.app.query(statement)), statement).toEqual({
          code: 'TN001',
          message: 'No tenant context set',
        });
      }
    }
  });

  it('holds for the owner of the tables too', async () => {
    expect(await failureOf(database.owner.query(`select * from pool.projects where tenant_id = 'acme'`))).toMatchObject(
      { code: 'TN001' },
    );
  });

  it('refuses a row for another tenant', async () => {
    const insert = `insert into projects (tenant_id, name) values ('globex', 'planted') returning id`;
    expect(await failureOf(runAs(database.app, 'acme', insert))).toMatchObject({ code: '42501' });
    await runAs(database.app, 'acme', insertProject, ['to be moved']);
    const update = `update projects set tenant_id = 'globex' where name = 'to be moved' returning id`;
    expect(await failureOf(runAs(database.app, 'acme', update))).toMatchObject({ code: '42501' });
  });

  it("does not tell whether another tenant's parent exists", async () => {
    const [project] = await runAs(database.app, 'globex', insertProject, ['parent of globex']);
    const insertTask = 'insert into tasks (project_id, title) values (%1$L, %2$L) returning id';
    const foreign = await failureOf(runAs(database.app, 'acme', insertTask, [project?.id, 'x']));
    const missing = await failureOf(
      runAs(database.app, 'acme', insertTask, ['00000000-0000-0000-0000-000000000000', 'x']),
    );
    expect(foreign).toMatchObject({ code: '23503' });
    expect(foreign).toEqual(missing);
  });

  it('lets two tenants use the same name', async () => {
    for (const tenant of ['acme', 'globex']) {
      expect(await runAs(database.app, tenant, insertProject, ['same name'])).toHaveLength(1);
    }
  });

  it('gives the application role no other way in', async () => {
    const { rows } = await database.superuser.query(
      `select rolname from pg_roles where rolname like 'tenantry\\_%' and rolname <> 'tenantry_master'
         and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication)
       union all select 'member: ' || m.rolname from pg_auth_members a join pg_roles m on m.oid = a.member where m.rolname = 'tenantry_app'
       union all select 'owns: ' || c.relname from pg_class c join pg_roles r on r.oid = c.relowner where r.rolname = 'tenantry_app'
       union all select 'creates in: ' || nspname from pg_namespace where has_schema_privilege('tenantry_app', oid, 'create')
       union all select 'temporary tables' where has_database_privilege('tenantry_app', current_database(), 'temporary')`,
    );
    expect(rows).toEqual([]);
  });

  it('lets PUBLIC and the application call exactly the functions meant for them', async () => {
    const callable = async (role: string): Promise<string[]> => {
      const { rows } = await database.superuser.query<{ name: string }>(
        `select n.nspname || '.' || p.proname as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
         where n.nspname in ('tenancy', 'registry') and has_function_privilege($1, p.oid, 'execute') order by 1`,
        [role],
      );
      return rows.map((row) => row.name);
    };
    expect(await callable('public')).toEqual([]);
    expect(await callable('tenantry_app')).toEqual([
      'registry.current_placement',
      'registry.record_impersonated_use',
      'tenancy.current_tenant',
      'tenancy.enter',
      'tenancy.evades_policies',
      'tenancy.is_plain',
      'tenancy.is_query',
      'tenancy.is_select',
      'tenancy.leave',
      'tenancy.out',
      'tenancy.run',
      'tenancy.run_batch',
    ]);
  });

  it('keeps signing keys, placements and the registry from the application', async () => {
    for (const table of ['tenancy.signing_keys', 'tenancy.placements', 'tenancy.migrations', 'registry.tenants']) {
      expect(await failureOf(database.app.query(`select * from ${table}`)), table).toMatchObject({ code: '42501' });
    }
  });
});

describe('registry.current_placement', () => {
  it('tells the bearer of a capability where its tenant lives, and nothing else', async () => {
    const ask = (capability: string) =>
      database.app.query('select registry.current_placement($1) as placement', [capability]);
    const { rows } = await ask(capabilityFor('acme'));
    expect(rows[0]).toEqual({ placement: { ...database.placement, database: database.name } });
    for (const refused of [
      capabilityFor('acme').replace('acme', 'globex'),
      capabilityFor('acme', { secondsLeft: -1 }),
      '',
    ]) {
      expect((await ask(refused)).rows).toEqual([{ placement: null }]);
    }
  });
});

describe('tenancy.out', () => {
  it('lets nothing lose precision on its way through JSON', async () => {
    const query = `select tenancy.out(q.a) a, tenancy.out(q.b) b, tenancy.out(q.c) c, tenancy.out(q.d) d, tenancy.out(q.e) e
      from (select 9223372036854775807 a, 0.10000000000000000001 b, array[1, 9223372036854775807] c, 'text' d, 7 e) q`;
    expect(await runAs(database.app, 'acme', query)).toEqual([
      { a: '9223372036854775807', b: '0.10000000000000000001', c: ['1', '9223372036854775807'], d: 'text', e: 7 },
    ]);
  });
});

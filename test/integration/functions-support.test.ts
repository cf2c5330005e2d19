import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { environmentKeys, mainCluster } from '../../shared/contract/index.ts';
import type { ApiHandler } from '../../shared/middleware/index.ts';
import { apiEvent, lambdaContext } from '../helpers/api-gateway.ts';
import { startAuthorizer, type TestAuthorizer } from '../helpers/authorizer.ts';
import { registryRows } from '../helpers/control-registry.ts';
import { captureJsonLines } from '../helpers/stdout.ts';
import { configFor, type TestTenantDatabase } from '../helpers/tenant-database.ts';

let authorizer: TestAuthorizer;
let database: TestTenantDatabase;
let handler: ApiHandler;

beforeAll(async () => {
  authorizer = await startAuthorizer(['acme', 'globex', 'umbrella', 'hooli']);
  database = authorizer.tenants;
  const { name } = database.postgres;
  Object.assign(process.env, {
    [environmentKeys.clusters]: JSON.stringify(configFor('app', name).clusters),
    [environmentKeys.registrySecretArn]: configFor('control', name).clusters[mainCluster]?.secretArn,
  });
  ({ handler } = await import('../../functions/support/handler.ts'));
  for (const tenantId of ['acme', 'globex', 'umbrella']) {
    await database.as(tenantId, () =>
      database.db
        .insertInto('projects')
        .values({ name: `of ${tenantId}` })
        .execute(),
    );
  }
  await database.postgres.superuser.query(
    `update registry.tenants set state = 'suspended' where tenant_id = 'umbrella'`,
  );
});
afterAll(() => authorizer[Symbol.asyncDispose]());

beforeEach(() => {
  captureJsonLines();
});

async function run(tenantId: string, sql: unknown, operatorId = 'olga') {
  const event = apiEvent({
    route: 'POST /tenants/{tenantId}/statements',
    path: { tenantId },
    body: { sql },
    authorizer: { operatorId, roles: 'operator' },
  });
  const { statusCode, body } = await handler(event, lambdaContext());
  return { status: statusCode, json: JSON.parse(body) as { rows: unknown[]; truncated: boolean; detail: string } };
}

const statementsOf = async (tenantId: string): Promise<unknown[]> =>
  (await registryRows(database, 'audit_log', tenantId)).map((row) => 'detail' in row && row.detail);

describe('a statement that an operator runs as a tenant', () => {
  it('meets the rows of that tenant and no others', async () => {
    expect(await run('acme', 'select name from projects;')).toEqual({
      status: 200,
      json: { rows: [{ name: 'of acme' }], truncated: false },
    });
    expect((await run('globex', 'select tenant_id from pool.projects')).json.rows).toEqual([{ tenant_id: 'globex' }]);
  });

  it('is in the audit log with the operator and its text, also one that is refused', async () => {
    await run('hooli', 'select 1 as one', 'otto');
    await run('hooli', 'select nonsense', 'otto');
    expect(await registryRows(database, 'audit_log', 'hooli')).toMatchObject([
      { actor: 'otto', action: 'statement.run', detail: { sql: 'select 1 as one' }, before: null, after: null },
      { actor: 'otto', action: 'statement.run', detail: { sql: 'select nonsense' } },
    ]);
  });

  it('is not run when it cannot be written to the audit log', async () => {
    const { owner } = database.postgres;
    await owner.query('alter table registry.audit_log rename to elsewhere');
    const before = database.calls.length;
    const answer = await run('acme', 'select name from projects');
    const calls = database.calls.slice(before);
    await owner.query('alter table registry.elsewhere rename to audit_log');
    expect(answer.status).toBe(500);
    expect(calls).toHaveLength(1);
  });

  it.each<[string, string, RegExp]>([
    ['is no SQL', 'selekt 1', /begins with select.*TN010/],
    ['has a fault', 'select nonsense from projects', /column "nonsense" does not exist.*42703/],
    ['is several', 'select 1; select 2', /multi-query.*42P11/],
    ['is several, the second of which writes', `select 1; delete from projects`, /42P11/],
    ['writes', `insert into projects (name) values ('x') returning name`, /read-only transaction.*25006/],
    ['deletes', 'delete from projects returning id', /read-only transaction.*25006/],
    ['writes in a function', `select set_config('transaction_read_only', 'off', false)`, /read-write mode.*25001/],
    ['explains', 'explain select 1', /TN010/],
    ['reads the kernel', 'select * from tenancy.signing_keys', /permission denied.*42501/],
    ['reads the registry', 'select * from registry.tenants', /permission denied.*42501/],
    ['divides by zero', 'select 1 / 0', /division by zero.*22012/],
    ['has too few rows', 'select (select 1 union select 2)', /21000/],
  ])('is refused with what Postgres says, when it %s', async (_, sql, detail) => {
    expect(await run('acme', sql)).toMatchObject({
      status: 422,
      json: { code: 'statement-refused', detail: expect.stringMatching(detail) },
    });
  });

  it('has 1,000 rows at most, and says that there are more', async () => {
    const { json } = await run('acme', 'select n from generate_series(1, 1001) n');
    expect(json.rows).toHaveLength(1_000);
    expect(json.rows.at(-1)).toEqual({ n: 1000 });
    expect(json.truncated).toBe(true);
    const all = await run('acme', 'select n from generate_series(1, 1000) n');
    expect(all.json.truncated).toBe(false);
  });

  it('can take percent signs and numbers of any width', async () => {
    const { json } = await run('acme', `select 9007199254740993 as wide, 'a%1$L%' as text, 7 %% 4 as "%", 0.5 as half`);
    expect(json.detail).toMatch(/operator does not exist: integer %% integer/);
    expect((await run('acme', `select 9007199254740993 as wide, 'a%1$L%' as text, 7 % 4 as "%"`)).json.rows).toEqual([
      { wide: '9007199254740993', text: 'a%1$L%', '%': 3 },
    ]);
  });

  it('is given up after 10 s, which it cannot prolong', async () => {
    const sql = `select set_config('statement_timeout', '0', true), pg_sleep(30)`;
    expect(await run('acme', sql)).toMatchObject({
      status: 422,
      json: { detail: expect.stringMatching(/longer than 10 s/) },
    });
  }, 20_000);

  it('leaves nothing behind: no setting, no lock, no row', async () => {
    await run('acme', `select pg_advisory_xact_lock(1), set_config('work_mem', '1MB', true)`);
    const { rows } = await database.postgres.superuser.query(
      `select count(*)::integer as locks from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`,
    );
    expect(rows).toEqual([{ locks: 0 }]);
  });

  it('is answered 413 when its result is too large', async () => {
    expect(await run('acme', `select repeat('x', 70000) as a`)).toMatchObject({ status: 413 });
  });

  it('is refused for a tenant that there is not, which leaves no entry, and for one that is suspended', async () => {
    expect(await run('nobody', 'select 1')).toMatchObject({ status: 404, json: { code: 'not-found' } });
    expect(await statementsOf('nobody')).toEqual([]);
    expect(await run('umbrella', 'select name from projects')).toMatchObject({
      status: 409,
      json: { code: 'constraint-violated' },
    });
  });

  it.each([undefined, '', 42, 'x'.repeat(20_001)])('has to be a text of some length: %j', async (sql) => {
    expect(await run('acme', sql)).toMatchObject({ status: 400, json: { code: 'validation-failed' } });
  });
});

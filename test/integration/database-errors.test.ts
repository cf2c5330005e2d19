import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DatabaseError } from '../../shared/database/index.ts';
import { type ErrorCode, problemDetails } from '../../shared/errors/index.ts';
import { capabilityFor } from '../helpers/capability.ts';
import { startTenantDatabase, type TestTenantDatabase } from '../helpers/tenant-database.ts';

let api: TestTenantDatabase;
beforeAll(async () => {
  api = await startTenantDatabase(['acme', 'globex', 'umbrella'], { statementTimeoutMs: 500 });
  await api.postgres.owner.query(`select tenancy.set_placement('umbrella', 'pool', 'suspended')`);
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  await api.postgres.superuser.query('truncate pool.projects, pool.tasks, pool.idempotency_keys cascade');
});

const id = '00000000-0000-7000-8000-000000000001';
const project = (values: object = {}) =>
  api.db
    .insertInto('projects')
    .values({ id, name: 'One', ...values })
    .execute();
const task = (values: object) =>
  api.db
    .insertInto('tasks')
    .values({ project_id: id, title: 'Do it', ...values })
    .execute();
const select = (expression: string) => sql`select ${sql.raw(expression)} as x`.execute(api.db);
const drop = () => api.db.withoutPlugins();

const cases: Record<string, [ErrorCode, string | undefined, () => Promise<unknown>]> = {
  'a key that is taken': ['conflict', '23505', () => project().then(() => project())],
  'a parent that does not exist': ['reference-not-found', '23503', () => task({})],
  'a value outside of a check': ['constraint-violated', '23514', () => project({ name: '' })],
  'a required value that is null': ['constraint-violated', '23502', () => project({ name: null })],
  'an id that is no UUID': ['validation-failed', '22P02', () => project({ id: 'nonsense' })],
  'a number out of range': ['validation-failed', '22003', () => task({ estimate_minutes: 3_000_000_000 })],
  'a date that does not exist': ['validation-failed', '22008', () => task({ due_on: '2026-02-30' })],
  'text with a zero character': ['validation-failed', '22P05', () => project({ name: 'a\0b' })],
  'half a surrogate pair': ['validation-failed', '22P02', () => project({ name: 'a\ud800b' })],
  'another tenant past the plugin': [
    'forbidden',
    '42501',
    () => drop().insertInto('projects').values({ tenant_id: 'globex', name: 'x' }).execute(),
  ],
  'a statement that takes too long': ['statement-timeout', undefined, () => select('pg_sleep(3)')],
  'a row of more than 64 KB': ['result-too-large', undefined, () => select(`repeat('x', 70000)`)],
  'a result of more than 1 MiB': [
    'result-too-large',
    undefined,
    () => sql`select repeat('x', 60000) as x from generate_series(1, 20)`.execute(api.db),
  ],
  'SQL that is wrong': ['internal', '42601', () => sql`select from where`.execute(api.db)],
  'two statements in one': ['internal', '42P11', () => sql`select 1; select 2`.execute(api.db)],
  'a statement without rows': ['internal', '42P11', () => sql`update projects set name = 'x'`.execute(api.db)],
  'a write in a query that reads': [
    'internal',
    '25006',
    () => sql`select set_config('x.y', lo_create(0)::text, true)`.execute(api.db),
  ],
  'a table that may not be read': ['internal', '42501', () => sql`select * from tenancy.signing_keys`.execute(api.db)],
};

describe('the database answers', () => {
  test.each(Object.entries(cases))('%s', async (_, [code, sqlState, work]) => {
    const error: unknown = await api.as('acme', work).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DatabaseError);
    expect(error).toMatchObject({ code, ...(sqlState !== undefined && { sqlState }), cause: expect.any(Error) });
  });

  test('what a deletion would orphan as constraint-violated', async () => {
    await api.postgres.owner.query(`
      set search_path = pool;
      create table notes (tenant_id text, id int, project_id uuid, primary key (tenant_id, id),
        foreign key (tenant_id, project_id) references projects (tenant_id, id));
      select tenancy.protect('notes')`);
    const error: unknown = await api
      .as('acme', async () => {
        await project();
        await sql`insert into notes (id, project_id) values (1, ${id}) returning id`.execute(api.db);
        return api.db.deleteFrom('projects').execute();
      })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'constraint-violated', message: 'Other resources still refer to this one.' });
  });

  test.each<[string, ErrorCode, string | undefined, string]>([
    ['an expired capability', 'token-expired', 'TN003', capabilityFor('acme', { secondsLeft: -1 })],
    ['a forged capability', 'unauthorized', 'TN002', `${capabilityFor('acme').slice(0, -2)}AA`],
    ['no capability', 'internal', 'TN001', ''],
    ['a capability of a suspended tenant', 'tenant-suspended', 'TN005', capabilityFor('umbrella')],
    ['a capability of a tenant that nobody knows', 'tenant-unknown', undefined, capabilityFor('nobody')],
  ])('%s', async (_, code, sqlState, capability) => {
    const read = () => api.db.selectFrom('projects').selectAll().execute();
    const error: unknown = await api.as('acme', read, { capability }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, sqlState });
  });

  test('with its words in the cause alone: clients see no key and no value', async () => {
    const error: unknown = await api
      .as('acme', () => project().then(() => project()))
      .catch((thrown: unknown) => thrown);
    if (!(error instanceof DatabaseError)) throw new Error('There was no error.');
    expect(String(error.cause)).toContain('duplicate key value');
    expect(error.constraint).toBe('projects_pkey');
    expect(JSON.stringify(problemDetails(error, 'r'))).not.toMatch(/tenant_id|acme|pkey|0000/);
  });
});

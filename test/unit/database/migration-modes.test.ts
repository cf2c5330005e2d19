import { describe, expect, it } from 'vitest';
import { migrationMode, parseAlone, replacedEditions } from '../../../shared/database/migration-modes.ts';

const alone = '-- tenantry: no transaction\n';
const asTenant = '-- tenantry: as each tenant\n';

describe('a migration', () => {
  it('runs in a transaction unless it says otherwise', () => {
    expect(migrationMode('001', '-- A table.\ncreate table a ()')).toBe('transaction');
  });

  it('refuses a marker that means nothing', () => {
    expect(() => migrationMode('001', '-- tenantry: no transactions\nselect 1')).toThrow(
      'Migration 001 says "-- tenantry: no transactions", which means nothing. There is "-- tenantry: no transaction", "-- tenantry: as each tenant".',
    );
  });

  it.each([
    ['create index concurrently if not exists by_title on tasks (tenant_id, title);', 'by_title', 'valid'],
    [
      'CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS By_Title\n  ON tasks USING btree (tenant_id)',
      'by_title',
      'valid',
    ],
    ['create index concurrently if not exists "By ""title" on only "Tasks" (tenant_id)', 'By "title', 'valid'],
    ['-- Not used.\ndrop index concurrently if exists by_title;', 'by_title', 'missing'],
  ])('runs in no transaction: %s', (sql, index, outcome) => {
    expect(migrationMode('001', alone + sql)).toBe('alone');
    expect(parseAlone('001', alone + sql)).toMatchObject({ index, outcome });
  });

  it('runs in no transaction in the schema of a placement', () => {
    const create = parseAlone('001', 'create index concurrently if not exists a on only tasks (tenant_id)');
    expect(create.inSchema('it"s')).toBe('create index concurrently if not exists a on only "it""s".tasks (tenant_id)');
    expect(parseAlone('001', 'drop index concurrently if exists "A b"').inSchema('t')).toBe(
      'drop index concurrently if exists "t"."A b"',
    );
  });

  it.each([
    'create index concurrently by_title on tasks (tenant_id)',
    'create index concurrently if not exists on tasks (tenant_id)',
    'create index concurrently if not exists a on pool.tasks (tenant_id)',
    'create index concurrently if not exists a on tasks (tenant_id); select 1 from tasks (x',
    'create table a ()',
    'vacuum',
    '',
  ])('that cannot be resumed is refused: %s', (sql) => {
    expect(() => migrationMode('007', alone + sql)).toThrow('Migration 007 runs in no transaction');
  });

  it('says which editions it replaces, whatever else it says', () => {
    const sql = `-- tenantry: replaces 0123456789ab\n-- tenantry: replaces ${'a'.repeat(64)}\ncreate table a ()`;
    expect(replacedEditions(sql)).toEqual(['0123456789ab', 'a'.repeat(64)]);
    expect(migrationMode('001', sql)).toBe('transaction');
    expect(() => migrationMode('001', '-- tenantry: replaces 0123')).toThrow('means nothing');
  });

  it('runs as each tenant when it is a statement that writes', () => {
    expect(migrationMode('001', `${asTenant}-- In batches.\nupdate tasks set title = title where false`)).toBe(
      'each-tenant',
    );
    expect(() => migrationMode('001', `${asTenant}select 1`)).toThrow('it is one statement that writes rows');
  });

  it.each([
    'update tasks set title = title where false; drop table tasks',
    `update tasks set title = 'a\\'; drop table tasks; select ''`,
    `update tasks set title = e'a\\''; drop table tasks; select ''`,
    `update tasks set title = $a$;$b$;$a$; drop table tasks`,
    `update tasks set title = title /* ; */ ; drop table tasks`,
    `update tasks set title = title --\n; drop table tasks`,
    `update tasks set a$b$ = 1; drop table tasks; select 1 as c$b$`,
    'update tasks set title = title; ;',
  ])('is refused as each tenant when it is more than one: %s', (sql) => {
    expect(() => migrationMode('007', asTenant + sql)).toThrow('it is one statement');
  });

  it.each([
    `update tasks set title = replace(title, ';', 'it''s;') where title like '%;%';`,
    `update tasks set title = e'\\';' where "a;b" is null -- one; two`,
    'update tasks /* a; b */ set title = $$;$$ || $a$;$$;$a$',
  ])('runs as each tenant when its semicolons end no statement: %s', (sql) => {
    expect(migrationMode('007', asTenant + sql)).toBe('each-tenant');
  });
});

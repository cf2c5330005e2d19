import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';
import { failureOf } from '../helpers/run-as.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());
afterEach(() => database.owner.query('drop table if exists pool.seen cascade'));

describe('tenancy.protect keeps values out of the statistics', () => {
  /** Columns of which ANALYZE has kept something, with their relations. */
  const analyzed = async (): Promise<unknown[]> => {
    await database.owner.query('analyze');
    const { rows } = await database.superuser.query(
      `select distinct format('%s.%s', tablename, attname) as name from pg_stats
       where tablename like 'seen%' and attname <> 'tenant_id' order by 1`,
    );
    return rows.map(({ name }: { name: string }) => name);
  };
  const make = `create table pool.seen (tenant_id text, id int, at date, body varchar(100) collate "C" check (body <> ''),
      primary key (tenant_id, id));
    create index seen_lower on pool.seen (tenant_id, lower(body));
    create table pool.seen_old (more text) inherits (pool.seen);
    insert into pool.seen select 'acme', n, '2026-01-01', 'secret' from generate_series(1, 300) n;
    insert into pool.seen_old select 'acme', n, '2026-01-01', 'secret', 'secret' from generate_series(1, 300) n;
    analyze pool.seen, pool.seen_old`;
  const all = ['at', 'body', 'id'];
  const everything = [
    ...all.map((name) => `seen.${name}`),
    'seen_lower.lower',
    ...[...all, 'more'].map((name) => `seen_old.${name}`),
  ];
  const protectSeen = () => database.owner.query(`select tenancy.protect('pool.seen')`);

  it('also those of before it was protected, of indexes and of children', async () => {
    await database.owner.query(make);
    expect(await analyzed()).toEqual(everything);
    await protectSeen();
    expect(await analyzed()).toEqual([]);
    const { rows } = await database.superuser.query(
      `select pg_get_indexdef('pool.seen_lower'::regclass) as index, format_type(atttypid, atttypmod) as type, attcollation::regcollation::text
       from pg_attribute where attrelid = 'pool.seen'::regclass and attname = 'body'`,
    );
    expect(rows).toEqual([
      {
        index: 'CREATE INDEX seen_lower ON pool.seen USING btree (tenant_id, lower((body)::text))',
        type: 'character varying(100)',
        attcollation: '"C"',
      },
    ]);
  });

  it('and those of columns and indexes that were added or opened since, by tenancy.hide_values', async () => {
    await database.owner.query(`${make.replace(/analyze .*/, '')} select tenancy.protect('pool.seen')`);
    await database.owner.query(`alter table pool.seen alter body set statistics 100;
      create index seen_upper on pool.seen (tenant_id, upper(body))`);
    expect(await analyzed()).toEqual(['seen.body', 'seen_old.body', 'seen_upper.upper']);
    await database.owner.query(`select tenancy.hide_values('pool.seen')`);
    expect(await analyzed()).toEqual([]);
    const { rows } = await database.owner.query(
      `select relforcerowsecurity from pg_class where oid = 'pool.seen'::regclass`,
    );
    expect(rows).toEqual([{ relforcerowsecurity: true }]);
  });

  it('or refuses the table, where Postgres does not forget them', async () => {
    await database.owner.query(`begin; ${make}; create view pool.bodies as select body from pool.seen`);
    const failure = await failureOf(protectSeen());
    await database.owner.query('rollback');
    expect(failure).toMatchObject({
      code: 'TN008',
      message: expect.stringContaining('statistics of values in body, which Postgres does not forget'),
    });
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { applyMigrations, type Migration, readAllMigrations, readMigrations } from '../../shared/database/migrator.ts';
import { executeWith } from '../helpers/database-template.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';
import { failureOf } from '../helpers/run-as.ts';

let database: TestDatabase;
let schema: string;
let schemas = 0;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());
beforeEach(() => {
  schemas += 1;
  schema = `made_${schemas}`;
});

const migration = (version: string, sql: string, checksum = version): Migration => ({ version, checksum, sql });
const apply = (...migrations: readonly Migration[]) => applyMigrations(executeWith(database.owner), schema, migrations);
const tables = async (): Promise<string[]> => {
  const { rows } = await database.owner.query<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = $1 order by 1`,
    [schema],
  );
  return rows.map((row) => row.name);
};

describe('migrations', () => {
  it('provision a schema with the same tables as the pool has', async () => {
    const { tenant } = await readAllMigrations('migrations');
    expect(await applyMigrations(executeWith(database.owner), schema, tenant)).toEqual(
      tenant.map((each) => each.version),
    );
    const shape = async (of: string) => {
      const { rows } = await database.owner.query(
        `select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, c.relrowsecurity, c.relforcerowsecurity,
                (select count(*) from pg_trigger t where t.tgrelid = c.oid) as triggers,
                (select count(*) from pg_constraint k where k.conrelid = c.oid) as constraints
         from pg_class c join pg_attribute a on a.attrelid = c.oid
         where c.relnamespace = $1::regnamespace and c.relkind = 'r' and a.attnum > 0 order by 1, a.attnum`,
        [of],
      );
      return rows;
    };
    expect(await shape(schema)).toEqual(await shape('pool'));
  });

  it('are applied in order, once', async () => {
    const first = migration('001', 'create table one (); create table two ();');
    const second = migration('002', 'alter table one add id int');
    expect(await apply(second, first)).toEqual(['001', '002']);
    expect(await apply(first, second)).toEqual([]);
    expect(await apply(first, second, migration('003', 'drop table two'))).toEqual(['003']);
    expect(await tables()).toEqual(['one']);
  });

  it('leave nothing behind when one fails, and say which', async () => {
    const failure = await failureOf(
      apply(migration('001', 'create table one ()'), migration('002', 'create table two (); select 1 / 0')),
    );
    expect(failure).toMatchObject({ code: '22012', message: `Migration 002 of ${schema} failed: division by zero` });
    expect(await tables()).toEqual([]);
    expect(await apply(migration('001', 'create table one ()'))).toEqual(['001']);
  });

  it('refuse a file that was changed after it had been applied', async () => {
    await apply(migration('001', 'create table one ()'));
    expect(await failureOf(apply(migration('001', 'create table other ()', 'changed')))).toMatchObject({
      code: 'TN009',
    });
  });

  it('are applied once by two runners at once', async () => {
    const runners = await Promise.all([database.connectAs('owner'), database.connectAs('owner')]);
    const wanted = [migration('001', 'create table one (); select pg_sleep(0.05)')];
    const applied = await Promise.all(runners.map((runner) => applyMigrations(executeWith(runner), schema, wanted)));
    expect(applied.flat()).toEqual(['001']);
  });

  it('are read from a folder in order of their names, with a checksum of their text', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'migrations-'));
    await writeFile(join(folder, '010_b.sql'), 'select 2');
    await writeFile(join(folder, '002_a.sql'), 'select 1');
    await writeFile(join(folder, 'notes.txt'), 'no migration');
    const read = await readMigrations(folder);
    await rm(folder, { recursive: true });
    expect(read.map(({ version, sql }) => [version, sql])).toEqual([
      ['002_a', 'select 1'],
      ['010_b', 'select 2'],
    ]);
    expect(new Set(read.map(({ checksum }) => checksum)).size).toBe(2);
  });
});

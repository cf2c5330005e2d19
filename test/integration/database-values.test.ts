import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { json } from '../../shared/database/index.ts';
import { startTenantDatabase, type TestTenantDatabase } from '../helpers/tenant-database.ts';

/** Types of a column, and values that it takes and gives back as they are. */
const types = {
  text: fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0') && text.isWellFormed()),
  uuid: fc.uuid(),
  boolean: fc.boolean(),
  smallint: fc.integer({ min: -32_768, max: 32_767 }),
  integer: fc.integer(),
  bigint: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  numeric: fc.tuple(fc.bigInt({ min: 1n }), fc.nat(99_999)).map(([a, b]) => `-${a}.${String(b).padStart(5, '0')}`),
  // Six digits, which is what a real holds for sure.
  real: fc.integer({ min: -999_999, max: 999_999 }).map((n) => n / 1000),
  'double precision': fc.double({ noNaN: true, noDefaultInfinity: true }).filter(notMinusZero),
  date: fc
    .date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-12-31') })
    .map((date) => date.toISOString().slice(0, 10)),
  time: fc.nat(86_399).map((seconds) => new Date(seconds * 1000).toISOString().slice(11, 19)),
  interval: fc.nat(59).map((minutes) => `1 day 02:${String(minutes).padStart(2, '0')}:00`),
  jsonb: fc.dictionary(
    fc.string().filter((key) => !key.includes('\0')),
    fc.oneof(fc.integer(), fc.boolean(), fc.constant(null), fc.constantFrom('a', "'", '%', '"')),
  ),
} as const;

function notMinusZero(value: number): boolean {
  return !Object.is(value, -0);
}

type Samples = Record<string, { id: number; value: unknown; list: unknown; tenant_id: string }>;

let api: TestTenantDatabase;
beforeAll(async () => {
  api = await startTenantDatabase(['acme']);
  await api.postgres.owner.query('set search_path = pool');
  for (const type of [...Object.keys(types), 'timestamp', 'timestamptz', 'bytea']) {
    const table = `sample_${type.replace(' ', '_')}`;
    await api.postgres.owner.query(`
      create table ${table} (tenant_id text, id int, value ${type}, list ${type}[], primary key (tenant_id, id));
      select tenancy.protect('${table}')`);
  }
});
afterAll(() => api[Symbol.asyncDispose]());

/** What a value is after it was written and read. */
async function throughDatabase(type: string, value: unknown, list: unknown = null): Promise<unknown[]> {
  const db = api.db.withTables<Samples>();
  const table = `sample_${type.replace(' ', '_')}`;
  return api.as('acme', async () => {
    // The table is not declared, so that the scope plugin does not see it: row-level security is alone here.
    await db.deleteFrom(table).execute();
    await db
      .insertInto(table)
      .values({ id: 1, value, list } as never)
      .execute();
    const row = await db.selectFrom(table).select(['value', 'list']).executeTakeFirstOrThrow();
    return [row.value, row.list];
  });
}

describe('a value comes back as it went in', () => {
  test.each(Object.entries(types))('%s', async (type, arbitrary: fc.Arbitrary<unknown>) => {
    const items =
      type === 'jsonb' ? fc.constant([]) : fc.array(fc.oneof(arbitrary, fc.constant(null)), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(arbitrary, items, async (value, list) => {
        expect(await throughDatabase(type, value, list)).toEqual([value, list]);
      }),
      { numRuns: 25, seed: 7 },
    );
  });
});

describe('a value of another JavaScript type comes back as', () => {
  test.each<[string, unknown, unknown]>([
    ['bigint', 9_007_199_254_740_993n, '9007199254740993'],
    ['bigint', 1, '1'],
    ['numeric', 0.1, '0.1'],
    ['numeric', '1.10', '1.10'],
    ['numeric', 12_345_678_901_234_567_890n, '12345678901234567890'],
    ['timestamptz', new Date('2026-01-31T13:45:00.123Z'), '2026-01-31T13:45:00.123+00:00'],
    ['timestamptz', new Date('+012026-01-31T00:00:00.000Z'), '12026-01-31T00:00:00+00:00'],
    ['timestamptz', new Date('-000043-03-15T00:00:00.000Z'), '0044-03-15T00:00:00+00:00 BC'],
    ['timestamptz', '2026-01-31T13:45:00.123456+02:00', '2026-01-31T11:45:00.123456+00:00'],
    ['timestamp', '2026-01-31 13:45:00.123456', '2026-01-31T13:45:00.123456'],
    ['bytea', Uint8Array.of(0, 1, 255), '\\x0001ff'],
    ['bytea', new Uint8Array(), '\\x'],
    ['jsonb', json(['a', { b: [1] }]), ['a', { b: [1] }]],
    ['jsonb', json('text'), 'text'],
    ['jsonb', json(null), null],
    ['jsonb', { number: 0.1, deep: { list: [] } }, { number: 0.1, deep: { list: [] } }],
    ['text', 12, '12'],
    ['text', "%1$L ' \\ $1 :schema \n %%", "%1$L ' \\ $1 :schema \n %%"],
  ])('%s %o', async (type, value, expected) => {
    expect((await throughDatabase(type, value))[0]).toEqual(expected);
  });

  test('bytea[] of bytes', async () => {
    expect((await throughDatabase('bytea', null, [Uint8Array.of(7), null]))[1]).toEqual(['\\x07', null]);
  });

  test('numeric[], of text, also where nobody declared the column', async () => {
    expect(
      (
        await throughDatabase('numeric', null, [
          [1, '2.50'],
          [3n, null],
        ])
      )[1],
    ).toEqual([
      ['1', '2.50'],
      ['3', null],
    ]);
  });
});

describe('a number that JavaScript cannot hold', () => {
  const select = <T>(expression: string) =>
    api.as('acme', () => api.db.selectNoFrom(sql<T>`${sql.raw(expression)}`.as('x')).executeTakeFirstOrThrow());

  test('is text when it is a bigint or a numeric, of whatever expression', async () => {
    expect(await select('count(*)')).toEqual({ x: '1' });
    expect(await select('9007199254740993')).toEqual({ x: '9007199254740993' });
    expect(await select('array[1.50, null]')).toEqual({ x: ['1.50', null] });
  });

  test('is an error inside of jsonb, not a rounded number', async () => {
    await expect(select(`'{"a": [9007199254740993]}'::jsonb`)).rejects.toThrow('more digits than a JavaScript number');
    await expect(select(`'{"a": 0.12345678901234567}'::jsonb`)).rejects.toThrow('"a" holds a number');
    await expect(select(`'[1e400]'::jsonb`)).rejects.toThrow('more digits');
    await expect(select(`'[1e400]'::json`)).rejects.toThrow('more digits');
  });

  test('is fine inside of jsonb when it is only long', async () => {
    expect(await select(`'[1e300, 0.10000000000000000, 1234567890123456000, -0.000001]'::jsonb`)).toEqual({
      x: [1e300, 0.1, 1234567890123456000, -0.000001],
    });
  });
});

describe('columns', () => {
  test('that are bigint are text in every row of every kind of query', async () => {
    const values = { key: 'k', status: 'COMPLETED', expires_at: 9_007_199_254_740_993n } as const;
    const wide = '9007199254740993';
    await api.as('acme', async () => {
      const inserted = await api.db.insertInto('idempotency_keys').values(values).returningAll().executeTakeFirst();
      expect(inserted).toMatchObject({ tenant_id: 'acme', expires_at: wide, in_progress_until: null });
      const query = api.db.selectFrom('idempotency_keys as k');
      expect(await query.selectAll('k').executeTakeFirst()).toEqual(inserted);
      expect(await query.select('k.expires_at as at').executeTakeFirst()).toEqual({ at: wide });
      expect(
        await api.db
          .with('x', (db) => db.selectFrom('idempotency_keys').selectAll())
          .selectFrom('x')
          .selectAll()
          .executeTakeFirst(),
      ).toEqual(inserted);
      expect(
        await query
          .select('key')
          .union(query.select('expires_at as key' as 'key'))
          .execute()
          .catch((error: unknown) => error),
      ).toMatchObject({ code: 'internal' });
      expect(await query.select(({ fn }) => fn.max('expires_at').as('max')).executeTakeFirst()).toEqual({ max: wide });
      const updated = await api.db
        .updateTable('idempotency_keys')
        .set({ in_progress_until: 1 })
        .returning(['in_progress_until', 'key'])
        .execute();
      expect(updated).toEqual([{ in_progress_until: '1', key: 'k' }]);
      expect(await api.db.deleteFrom('idempotency_keys').returningAll().execute()).toMatchObject([
        { expires_at: wide },
      ]);
    });
  });

  test('of the same name leave the last one, as in node-postgres', async () => {
    await api.as('acme', async () => {
      await api.db.insertInto('projects').values({ name: 'One' }).execute();
      const row = await api.db
        .selectFrom('projects')
        .select(['version as x', sql<string>`count(*) over ()`.as('x')])
        .executeTakeFirst();
      expect(row).toEqual({ x: '1' });
    });
  });
});

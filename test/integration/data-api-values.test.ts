import type { Field, SqlParameter } from '@aws-sdk/client-rds-data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestDataApi, type TestDataApi } from '../helpers/data-api.ts';

let data: TestDataApi;
beforeAll(async () => {
  data = await startTestDataApi();
});
afterAll(() => data[Symbol.asyncDispose]());

/** The one value that a query returns. */
async function valueOf(expression: string, parameters: SqlParameter[] = [], more = {}): Promise<Field | undefined> {
  const { records } = await data.execute(`select ${expression}`, parameters, more);
  return records?.[0]?.[0];
}

describe('values that Postgres returns', () => {
  it.each([
    ['true', { booleanValue: true }],
    ['1::smallint', { longValue: 1 }],
    ['2147483647', { longValue: 2147483647 }],
    ['9007199254740991::bigint', { longValue: 9007199254740991 }],
    ['0.1::real', { doubleValue: 0.1 }],
    ['1e300::float8', { doubleValue: 1e300 }],
    ["'NaN'::float8", { doubleValue: NaN }],
    ['12345678901234567890.10', { stringValue: '12345678901234567890.10' }],
    ["'é'", { stringValue: 'é' }],
    ["'x'::char(3)", { stringValue: 'x  ' }],
    ["'x'::name", { stringValue: 'x' }],
    ["'\\x00ff'::bytea", { blobValue: new Uint8Array([0, 255]) }],
    ["'2026-01-02'::date", { stringValue: '2026-01-02' }],
    ["'03:04:05.6'::time", { stringValue: '03:04:05.600' }],
    ["'2026-01-02 03:04:05.000001'::timestamp", { stringValue: '2026-01-02 03:04:05.000001' }],
    ["'2026-01-02 03:04:05+02'::timestamptz", { stringValue: '2026-01-02 01:04:05' }],
    ["'00000000-0000-7000-8000-000000000000'::uuid", { stringValue: '00000000-0000-7000-8000-000000000000' }],
    [`'{"a": [1]}'::json`, { stringValue: '{"a": [1]}' }],
    [`'{"a":[1]}'::jsonb`, { stringValue: '{"a": [1]}' }],
    ["'10.0.0.1'::inet", { stringValue: '10.0.0.1' }],
    ['pg_advisory_xact_lock(1)', { stringValue: '' }],
    ['null::int', { isNull: true }],
    ['array[1, null]::bigint[]', { arrayValue: { longValues: [1, null] } }],
    ["array['a', 'b,\"']", { arrayValue: { stringValues: ['a', 'b,"'] } }],
    ["'{}'::text[]", { arrayValue: { stringValues: [] } }],
    ['array[true]', { arrayValue: { booleanValues: [true] } }],
    ['array[0.5::float8]', { arrayValue: { doubleValues: [0.5] } }],
  ] as const)('%s', async (expression, expected) => {
    expect(await valueOf(expression)).toEqual(expected);
  });

  it('an enum is a string', async () => {
    await data.execute("create type mood as enum ('happy')");
    expect(await valueOf("'happy'::mood")).toEqual({ stringValue: 'happy' });
  });

  it.each(['1::money', "'(1,2)'::point", "'1 day'::interval", 'row(1, 2)', '\'x\'::"char"', "'[1,2]'::int4range"])(
    '%s is refused as unsupported',
    async (expression) => {
      await expect(valueOf(expression)).rejects.toMatchObject({ name: 'UnsupportedResultException' });
    },
  );

  it('an unsupported type is no problem where there are no rows', async () => {
    const { records } = await data.execute('select 1::money where false');
    expect(records).toEqual([]);
  });

  it('numbers are answered as the request asks', async () => {
    const resultSetOptions = { decimalReturnType: 'DOUBLE_OR_LONG', longReturnType: 'STRING' };
    expect(await valueOf('9223372036854775807::bigint', [], { resultSetOptions })).toEqual({
      stringValue: '9223372036854775807',
    });
    expect(await valueOf('1.5::numeric', [], { resultSetOptions })).toEqual({ doubleValue: 1.5 });
  });
});

describe('values that are sent', () => {
  it.each([
    ['boolean', { booleanValue: true }, undefined, 'true'],
    ['bigint', { longValue: 42 }, undefined, '42'],
    ['double precision', { doubleValue: -0.5 }, undefined, '-0.5'],
    ['text', { stringValue: "it's" }, undefined, "it's"],
    ['bytea', { blobValue: new Uint8Array([1, 255]) }, undefined, '\\x01ff'],
    ['date', { stringValue: '2026-01-02' }, 'DATE', '2026-01-02'],
    ['numeric', { stringValue: '1.50' }, 'DECIMAL', '1.50'],
    ['json', { stringValue: '{"a": 1}' }, 'JSON', '{"a": 1}'],
    ['time without time zone', { stringValue: '03:04:05' }, 'TIME', '03:04:05'],
    ['timestamp without time zone', { stringValue: '2026-01-02 03:04:05.678' }, 'TIMESTAMP', '2026-01-02 03:04:05.678'],
    ['uuid', { stringValue: '00000000-0000-7000-8000-000000000000' }, 'UUID', '00000000-0000-7000-8000-000000000000'],
  ] as const)('arrive as %s', async (type, value, typeHint, text) => {
    const parameter: SqlParameter = { name: 'p', value, ...(typeHint && { typeHint }) };
    const { records } = await data.execute('select pg_typeof(:p)::text, :p::text', [parameter]);
    expect(records).toEqual([[{ stringValue: type }, { stringValue: text }]]);
  });

  it('null takes the type of where it goes', async () => {
    await data.execute('create table places (id int, at timestamptz, data jsonb)');
    const nulls = ['id', 'at', 'data'].map((name) => ({ name, value: { isNull: true as const } }));
    const { numberOfRecordsUpdated } = await data.execute('insert into places values (:id, :at, :data)', nulls);
    expect(numberOfRecordsUpdated).toBe(1);
  });

  it('a string is text, so that comparing it with a uuid needs a cast as on AWS', async () => {
    const id = { name: 'id', value: { stringValue: '00000000-0000-7000-8000-000000000000' } };
    await expect(valueOf('gen_random_uuid() = :id', [id])).rejects.toMatchObject({
      name: 'DatabaseErrorException',
      message: expect.stringMatching(/operator does not exist: uuid = text[^]*; SQLState: 42883$/),
    });
    expect(await valueOf('gen_random_uuid() = :id::uuid', [id])).toEqual({ booleanValue: false });
  });
});

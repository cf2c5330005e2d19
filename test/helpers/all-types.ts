import type { Client } from 'pg';
import fc from 'fast-check';

/** Columns of the types that tenant tables may well have, and texts of values that are hard to keep, null apart. */
const columns: Readonly<Record<string, { type: string; values: fc.Arbitrary<string> }>> = {
  a_bool: { type: 'boolean', values: fc.boolean().map(String) },
  a_smallint: { type: 'smallint', values: fc.integer({ min: -32_768, max: 32_767 }).map(String) },
  an_int: { type: 'integer', values: fc.maxSafeInteger().map((n) => String(n % 2 ** 31)) },
  a_bigint: { type: 'bigint', values: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String) },
  a_numeric: {
    type: 'numeric',
    values: fc.oneof(
      fc.tuple(fc.bigInt(), fc.nat(30)).map(([n, scale]) => `${n}e-${scale}`),
      fc.constantFrom('NaN', 'Infinity', '0.000', '1.50'),
    ),
  },
  a_price: { type: 'numeric(12,2)', values: fc.integer().map((n) => `${n}.05`) },
  a_real: { type: 'real', values: fc.oneof(fc.float().map(String), fc.constantFrom('NaN', '-Infinity')) },
  a_double: { type: 'double precision', values: fc.oneof(fc.double().map(String), fc.constantFrom('NaN', '-0')) },
  a_text: { type: 'text', values: text() },
  a_varchar: { type: 'varchar(40)', values: text(20) },
  a_char: { type: 'char(10)', values: fc.constantFrom('', ' x', 'full text') },
  a_bytea: { type: 'bytea', values: fc.uint8Array().map((bytes) => `\\x${Buffer.from(bytes).toString('hex')}`) },
  a_json: { type: 'json', values: fc.oneof(json(), fc.constant('{"b": 1,\n "a": 1.50, "a": 2}')) },
  a_jsonb: {
    type: 'jsonb',
    values: fc.oneof(json(), fc.constantFrom('null', '"\\\\"', '{"n": 12345678901234567890.10}')),
  },
  a_uuid: { type: 'uuid', values: fc.uuid() },
  a_date: { type: 'date', values: fc.constantFrom('2024-02-29', '0044-03-15 BC', 'infinity') },
  a_time: { type: 'time', values: fc.constantFrom('00:00:00.000001', '24:00:00') },
  a_timetz: { type: 'timetz', values: fc.constantFrom('12:34:56.789+05:30') },
  a_timestamp: {
    type: 'timestamp',
    values: fc.constantFrom('2024-02-29 23:59:59.999999', '-infinity', '0001-01-01 BC'),
  },
  a_timestamptz: { type: 'timestamptz', values: fc.constantFrom('2024-02-29 23:59:59.123456+02', 'infinity') },
  an_interval: { type: 'interval', values: fc.constantFrom('1 year -2 mons 3 days -04:05:06.789', '-1 day') },
  an_inet: { type: 'inet', values: fc.constantFrom('10.0.0.1/8', '::1') },
  a_range: { type: 'int8range', values: fc.constantFrom('empty', '[1,9007199254740993)', '(,5)') },
  some_ints: { type: 'integer[]', values: fc.constantFrom('{}', '{1,NULL,-3}', '{{1,2},{3,4}}', '[0:1]={5,6}') },
  some_texts: { type: 'text[]', values: fc.constantFrom('{}', '{"a,b","c\\"d",NULL,"NULL","ü\n"}') },
  some_jsonb: { type: 'jsonb[]', values: fc.constantFrom('{"null",NULL,"{\\"a\\": 1}"}') },
  some_numerics: { type: 'numeric[]', values: fc.constantFrom('{1.10,12345678901234567890.5,NaN}') },
  a_mood: { type: 'pool.mood', values: fc.constantFrom('so "so"', 'ok') },
  a_pair: { type: 'pool.pair', values: fc.constantFrom('(1,"a b")', '(,)', '(2,)') },
  some_bits: { type: 'varbit', values: fc.constantFrom('', '10110') },
  a_name: { type: '"char"', values: fc.constantFrom('x', '"') },
};

function text(longest = 200): fc.Arbitrary<string> {
  const hard = fc.constantFrom(
    '',
    '\\',
    '"',
    '\n\r\t',
    '\u0001',
    '\u2028',
    'é',
    '日本',
    '😀',
    '{"a":1}',
    'null',
    '%1$L',
    "'",
  );
  return fc
    .array(fc.oneof(hard, fc.string({ unit: 'binary', maxLength: 8 })), { maxLength: longest / 10 })
    .map((parts) => parts.join('').replaceAll('\0', '').toWellFormed());
}

function json(): fc.Arbitrary<string> {
  return fc.json({ maxDepth: 3 }).map((value) => value.replaceAll('\\u0000', '').replaceAll(/\\ud[89a-f]../gi, ''));
}

/**
 * Tables of tenants with a column of every type, rows that point at rows of the same table and back and forth between two, a key of
 * several columns and types, a generated column and an identity.
 */
export async function addTablesOfAllTypes(owner: Client): Promise<void> {
  const definitions = Object.entries(columns).map(([name, { type }]) => `${name} ${type}`);
  for (const statement of [
    `create type pool.mood as enum ('so "so"', 'ok')`,
    'create type pool.pair as (a integer, b text)',
    `create table pool."All Types" (
       tenant_id text not null, id uuid not null, "Select" integer not null default 7, ${definitions.join(', ')},
       number bigint generated always as identity, twice integer generated always as ("Select" * 2) stored,
       parent uuid, primary key (tenant_id, id),
       foreign key (tenant_id, parent) references pool."All Types" (tenant_id, id))`,
    `create table pool.chapters (tenant_id text not null, book text, place numeric, at timestamptz, first_page integer,
       primary key (tenant_id, book, place, at))`,
    `create table pool.pages (tenant_id text not null, number integer, book text not null, place numeric not null, at timestamptz not null,
       primary key (tenant_id, number),
       foreign key (tenant_id, book, place, at) references pool.chapters (tenant_id, book, place, at))`,
    'create index on pool.pages (tenant_id, book, place, at)',
    'create index on pool.chapters (tenant_id, first_page)',
    'create index on pool."All Types" (tenant_id, parent)',
    'alter table pool.chapters add foreign key (tenant_id, first_page) references pool.pages (tenant_id, number)',
    `select tenancy.protect('pool."All Types"')`,
    `select tenancy.protect('pool.chapters')`,
    `select tenancy.protect('pool.pages')`,
  ])
    await owner.query(statement);
}

/** Values of a row, by column; a missing one is null. */
export type RandomRow = Readonly<Record<string, string>>;

export const randomRows: fc.Arbitrary<RandomRow[]> = fc.array(
  fc.record(Object.fromEntries(Object.entries(columns).map(([name, { values }]) => [name, values])), {
    requiredKeys: [],
  }) as fc.Arbitrary<RandomRow>,
  { maxLength: 12 },
);

/** Statements that give a tenant, `$1`, these rows, each but the first pointing at another, some of them in a circle. */
export function insertRandomRows(rows: readonly RandomRow[]): string[] {
  const quote = (value: string): string => `'${value.replaceAll("'", "''")}'`;
  const idOf = (index: number): string => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
  const inserted = rows.map((row, index) => {
    const names = Object.keys(row);
    return `insert into pool."All Types" (${['tenant_id', 'id', ...names].join(', ')})
      values (${['$1', quote(idOf(index)), ...names.map((name) => quote(row[name] ?? ''))].join(', ')})`;
  });
  const last = rows.length - 1;
  return [
    ...inserted,
    `update pool."All Types" set parent = case id when '${idOf(0)}' then id
       else ('00000000-0000-4000-8000-' || lpad(($2::integer - right(id::text, 6)::integer)::text, 12, '0'))::uuid end
     where tenant_id = $1`.replace('$2', String(last)),
    `insert into pool.chapters (tenant_id, book, place, at) select $1, b, n, '2024-02-29 23:59:59.123456Z'
       from unnest(array['a', E'ü"\\n']) b, unnest(array[1.10, 1.1001, 12345678901234567890]) n`,
    `insert into pool.pages (tenant_id, number, book, place, at)
       select $1, row_number() over (), book, place, at from pool.chapters where tenant_id = $1`,
    `update pool.chapters c set first_page = p.number from pool.pages p
       where c.tenant_id = $1 and p.tenant_id = $1 and (c.book, c.place) = (p.book, p.place)`,
  ];
}

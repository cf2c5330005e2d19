import type { Client } from 'pg';

/** Which member of the Field union a value becomes, and how its text is read. */
export type FieldKind =
  'boolean' | 'date' | 'long' | 'double' | 'decimal' | 'string' | 'blob' | 'time' | 'timestamp' | 'timestamptz';

/** What the Data API knows of a Postgres type. */
export interface ResultType {
  readonly name: string;
  /** Missing for types that the Data API cannot return. */
  readonly kind: FieldKind | undefined;
  readonly isArray: boolean;
  /** Type code of java.sql.Types, as clients find it in the column's metadata. */
  readonly jdbcType: number;
}

const jdbc = { array: 2003, other: 1111, varchar: 12 } as const;

/**
 * Scalar types of Postgres: OID, OID of its array, name, kind and JDBC code. After "Amazon RDS Data API operations reference",
 * which lists what can be returned; an array OID is given for those that can be returned as arrays.
 */
const scalars: readonly (readonly [number, number | undefined, string, FieldKind | undefined, number])[] = [
  [16, 1000, 'bool', 'boolean', -7],
  [17, undefined, 'bytea', 'blob', -2],
  [18, undefined, 'char', undefined, 1],
  [19, 1003, 'name', 'string', jdbc.varchar],
  [20, 1016, 'int8', 'long', -5],
  [21, 1005, 'int2', 'long', 5],
  [23, 1007, 'int4', 'long', 4],
  [25, 1009, 'text', 'string', jdbc.varchar],
  [26, undefined, 'oid', 'long', -5],
  [114, 199, 'json', 'string', jdbc.other],
  [650, undefined, 'cidr', 'string', jdbc.other],
  [700, 1021, 'float4', 'double', 7],
  [701, 1022, 'float8', 'double', 8],
  [869, undefined, 'inet', 'string', jdbc.other],
  [1042, 1014, 'bpchar', 'string', 1],
  [1043, 1015, 'varchar', 'string', jdbc.varchar],
  [1082, 1182, 'date', 'date', 91],
  [1083, 1183, 'time', 'time', 92],
  [1114, 1115, 'timestamp', 'timestamp', 93],
  [1184, 1185, 'timestamptz', 'timestamptz', 93],
  [1560, 1561, 'bit', undefined, -7],
  [1700, 1231, 'numeric', 'decimal', 2],
  [2278, undefined, 'void', 'string', jdbc.other],
  [2950, 2951, 'uuid', 'string', jdbc.other],
  [3802, undefined, 'jsonb', 'string', jdbc.other],
];

const builtIn = new Map<number, ResultType>();
for (const [oid, arrayOid, name, kind, jdbcType] of scalars) {
  builtIn.set(oid, { name, kind, isArray: false, jdbcType });
  if (arrayOid !== undefined) {
    builtIn.set(arrayOid, { name: `_${name}`, kind: kind ?? 'string', isArray: true, jdbcType: jdbc.array });
  }
}

/** Types that the catalogue had to be asked for, by connection since OIDs differ between databases. */
const lookedUp = new WeakMap<Client, Map<number, ResultType>>();

interface CatalogueRow {
  readonly oid: number;
  readonly name: string;
  readonly is_enum: boolean;
  readonly is_array: boolean;
}

/** Finds the types of a result's columns; asks the catalogue about those that are not Postgres's own. */
export async function resultTypes(client: Client, oids: readonly number[]): Promise<(oid: number) => ResultType> {
  const known = lookedUp.get(client) ?? new Map<number, ResultType>();
  lookedUp.set(client, known);
  const unknown = oids.filter((oid) => !builtIn.has(oid) && !known.has(oid));
  if (unknown.length > 0) {
    const { rows } = await client.query<CatalogueRow>(
      `select oid, typname as name, typtype = 'e' as is_enum, typcategory = 'A' as is_array
       from pg_catalog.pg_type where oid = any($1::oid[])`,
      [unknown],
    );
    for (const row of rows) known.set(row.oid, custom(row));
  }
  return (oid) =>
    builtIn.get(oid) ?? known.get(oid) ?? custom({ oid, name: String(oid), is_enum: false, is_array: false });
}

function custom(row: CatalogueRow): ResultType {
  const text = row.is_enum || row.name === 'vector';
  const jdbcType = row.is_array ? jdbc.array : row.is_enum ? jdbc.varchar : jdbc.other;
  return { name: row.name, kind: text ? 'string' : undefined, isArray: row.is_array, jdbcType };
}

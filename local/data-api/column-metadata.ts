import type { Client, FieldDef } from 'pg';
import type { ResultType } from './types.ts';

interface CatalogueColumn {
  readonly table_id: number;
  readonly column_id: number;
  readonly table_name: string;
  readonly not_null: boolean;
  readonly auto_increment: boolean;
}

/** Values of java.sql.ResultSetMetaData: columnNoNulls, columnNullable, columnNullableUnknown. */
const nullability = { no: 0, yes: 1, unknown: 2 } as const;

const unlimited = 2_147_483_647;

/** Digits, or characters as printed, and decimals of fixed types, as Postgres's JDBC driver has them. */
const sizes: Readonly<Record<string, readonly [precision: number, scale: number]>> = {
  bool: [1, 0],
  int2: [5, 0],
  int4: [10, 0],
  int8: [19, 0],
  oid: [10, 0],
  float4: [8, 8],
  float8: [17, 17],
  date: [13, 0],
  time: [15, 6],
  timestamp: [29, 6],
  timestamptz: [35, 6],
};

const signed = new Set(['int2', 'int4', 'int8', 'float4', 'float8', 'numeric']);
const serials: Readonly<Record<string, string>> = { int2: 'smallserial', int4: 'serial', int8: 'bigserial' };

/** ColumnMetadata of each column, as Postgres's JDBC driver describes a result. */
export async function columnMetadata(
  client: Client,
  fields: readonly FieldDef[],
  types: readonly ResultType[],
): Promise<Record<string, unknown>[]> {
  const columns = await catalogueColumns(client, fields);
  return fields.flatMap((field, index) => {
    const type = types[index];
    return type ? [describe(field, type, columns.get(`${field.tableID}.${field.columnID}`))] : [];
  });
}

function describe(field: FieldDef, type: ResultType, column: CatalogueColumn | undefined): Record<string, unknown> {
  const autoIncrement = column?.auto_increment ?? false;
  const [precision, scale] = size(type.name, field.dataTypeModifier);
  return {
    arrayBaseColumnType: 0,
    isAutoIncrement: autoIncrement,
    isCaseSensitive: !(type.name in sizes) && type.name !== 'numeric',
    isCurrency: false,
    isSigned: signed.has(type.name),
    label: field.name,
    name: field.name,
    nullable: column ? nullability[column.not_null ? 'no' : 'yes'] : nullability.unknown,
    precision,
    scale,
    // The JDBC driver leaves it empty.
    schemaName: '',
    tableName: column?.table_name ?? '',
    type: type.jdbcType,
    typeName: (autoIncrement && serials[type.name]) || type.name,
  };
}

/** A type modifier holds the declared length plus 4, or precision and scale for numeric. */
function size(name: string, modifier: number): readonly [precision: number, scale: number] {
  if (name === 'numeric') return modifier < 4 ? [0, 0] : [(modifier - 4) >> 16, (modifier - 4) & 0x7ff];
  if (name === 'varchar' || name === 'bpchar') return [modifier < 4 ? unlimited : modifier - 4, 0];
  return sizes[name] ?? [unlimited, 0];
}

async function catalogueColumns(client: Client, fields: readonly FieldDef[]): Promise<Map<string, CatalogueColumn>> {
  const tables = [...new Set(fields.map((field) => field.tableID).filter((id) => id > 0))];
  if (tables.length === 0) return new Map();
  const { rows } = await client.query<CatalogueColumn>(
    `select c.oid as table_id, a.attnum as column_id, c.relname as table_name, a.attnotnull as not_null,
            coalesce(a.attidentity <> '' or pg_catalog.pg_get_expr(d.adbin, d.adrelid) like 'nextval(%', false) as auto_increment
     from pg_catalog.pg_class c
     join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0
     left join pg_catalog.pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
     where c.oid = any($1::oid[])`,
    [tables],
  );
  return new Map(rows.map((row) => [`${row.table_id}.${row.column_id}`, row]));
}

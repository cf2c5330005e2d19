import type { Client } from 'pg';

/** A tenant table as the catalog describes it: all that the matrix knows of it. */
export interface TenantTable {
  readonly name: string;
  readonly columns: readonly Column[];
  /** Columns of the primary key, tenant_id first. */
  readonly key: readonly string[];
  readonly foreignKeys: readonly ForeignKey[];
}

export interface Column {
  readonly name: string;
  /** Without its length; of a domain, the type below. */
  readonly type: string;
  /** `pg_type.typcategory`: S text, N number, B boolean, D time, E enum, A array … */
  readonly category: string;
  readonly isNullable: boolean;
  /** Computed by Postgres from other columns. */
  readonly isGenerated: boolean;
  /** Numbered by Postgres, which refuses a value that is given. */
  readonly isNumbered: boolean;
  /** Characters, for varchar(n). */
  readonly length: number | null;
  /** What an enum or a check of the column allows, if that can be told. */
  readonly choices: readonly string[];
}

export interface ForeignKey {
  readonly columns: readonly string[];
  readonly parent: string;
  readonly parentColumns: readonly string[];
}

const query = `
  select c.relname as name,
    (select jsonb_agg(jsonb_build_object(
        'name', a.attname, 'type', format_type(coalesce(nullif(t.typbasetype, 0), t.oid), null), 'category', t.typcategory,
        'isNullable', not a.attnotnull, 'isGenerated', a.attgenerated <> '', 'isNumbered', a.attidentity = 'a',
        'length', case when a.atttypid in ('varchar'::regtype, 'bpchar'::regtype) and a.atttypmod > 4 then a.atttypmod - 4 end,
        'choices', coalesce(
          (select jsonb_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid),
          (select jsonb_agg(literal[1])
           from pg_constraint k, regexp_matches(pg_get_constraintdef(k.oid), '''([^'']+)''::', 'g') literal
           where k.conrelid = c.oid and k.contype = 'c' and k.conkey = array[a.attnum]
             and pg_get_constraintdef(k.oid) like '% = %'),
          '[]')
      ) order by a.attnum)
     from pg_attribute a join pg_type t on t.oid = a.atttypid
     where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
    (select jsonb_agg(a.attname order by k.position)
     from pg_index i, unnest(i.indkey) with ordinality k (attnum, position), pg_attribute a
     where i.indrelid = c.oid and i.indisprimary and a.attrelid = c.oid and a.attnum = k.attnum) as key,
    coalesce((select jsonb_agg(jsonb_build_object(
        'columns', (select jsonb_agg(a.attname order by k.position)
          from unnest(f.conkey) with ordinality k (attnum, position), pg_attribute a
          where a.attrelid = f.conrelid and a.attnum = k.attnum),
        'parent', f.confrelid::regclass::text,
        'parentColumns', (select jsonb_agg(a.attname order by k.position)
          from unnest(f.confkey) with ordinality k (attnum, position), pg_attribute a
          where a.attrelid = f.confrelid and a.attnum = k.attnum)) order by f.conname)
      from pg_constraint f join pg_class p on p.oid = f.confrelid
      where f.conrelid = c.oid and f.contype = 'f' and p.relnamespace = c.relnamespace), '[]') as "foreignKeys"
  from pg_class c
  where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
  order by 1`;

/** The tenant tables of a placement schema, parents before children. */
export async function tenantTables(client: Client, schema: string): Promise<readonly TenantTable[]> {
  // Names of the schema's own tables come without it.
  await client.query(`set search_path = "${schema}"`);
  const { rows } = await client.query<TenantTable>(query, [schema]);
  await client.query('reset search_path');
  return parentsFirst(rows);
}

function parentsFirst(tables: readonly TenantTable[]): readonly TenantTable[] {
  const sorted: TenantTable[] = [];
  const visit = (table: TenantTable): void => {
    if (sorted.includes(table)) return;
    for (const parent of parentsOf(table, tables)) visit(parent);
    sorted.push(table);
  };
  tables.forEach(visit);
  return sorted;
}

function parentsOf(table: TenantTable, tables: readonly TenantTable[]): readonly TenantTable[] {
  const names = table.foreignKeys.map(({ parent }) => parent);
  return tables.filter((other) => other !== table && names.includes(other.name));
}

/** How many generations of tables refer to this one. */
function generationsBelow(table: TenantTable, tables: readonly TenantTable[]): number {
  const children = tables.filter((other) => parentsOf(other, tables).includes(table));
  return Math.max(0, ...children.map((child) => generationsBelow(child, tables) + 1));
}

/** Whether a tenant can have no second row. */
export const isSingle = ({ key }: TenantTable): boolean => key.length === 1;

/** How many rows each tenant has: so many that a further row of a child finds a parent without children. */
export function rowsOf(table: TenantTable, tables: readonly TenantTable[]): number {
  return isSingle(table) ? 1 : 2 + generationsBelow(table, tables);
}

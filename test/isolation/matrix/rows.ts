import { createHash } from 'node:crypto';
import type { Column, TenantTable } from './catalog.ts';

/** Values as text, by column; null where the column takes it and nothing better is known. */
export type Row = Readonly<Record<string, string | null>>;

/** What rows of a tenant say, so that a leak can be recognized. */
export const canaryOf = (tenant: string): string => `canary of ${tenant}`;

/**
 * The nth row of a tenant in a table, made from the catalog alone. The first row has the same key in every tenant, for statements that
 * have forgotten their tenant; the others have keys of their own. A row refers to the nth row of each parent.
 */
export function rowOf(tables: readonly TenantTable[], table: TenantTable, tenant: string, n: number): Row {
  const columns = table.columns.filter(({ isGenerated }) => !isGenerated);
  return Object.fromEntries(columns.map((column) => [column.name, valueOf(tables, table, column, tenant, n)]));
}

function valueOf(
  tables: readonly TenantTable[],
  table: TenantTable,
  column: Column,
  tenant: string,
  n: number,
): string | null {
  if (column.name === 'tenant_id') return tenant;
  for (const { columns, parent, parentColumns } of table.foreignKeys) {
    const parentTable = tables.find(({ name }) => name === parent);
    const parentColumn = parentTable?.columns.find(({ name }) => name === parentColumns[columns.indexOf(column.name)]);
    // A key to the same table and column would never end; such a row refers to itself.
    if (parentTable && parentColumn && !(parentTable === table && parentColumn === column))
      return valueOf(tables, parentTable, parentColumn, tenant, n);
  }
  const isShared = n === 1 && table.key.includes(column.name);
  return sample(table, column, isShared ? 'every tenant' : tenant, n);
}

function sample(table: TenantTable, column: Column, whose: string, n: number): string | null {
  const { type, category, choices, length } = column;
  if (choices[0] !== undefined) return choices[0];
  const hash = createHash('md5').update(`${table.name} ${column.name} ${whose} ${n}`).digest('hex');
  if (type === 'uuid') return hash;
  if (type === 'jsonb' || type === 'json') return JSON.stringify({ canary: canaryOf(whose), n });
  if (type === 'bytea') return `\\x${hash}`;
  if (type === 'interval') return `${n} days`;
  if (type === 'inet' || type === 'cidr') return `10.0.0.${n}`;
  // Numbers of tenants differ as well, and stay small.
  if (category === 'N') return String(n === 1 ? 1 : n + 10 * (Number.parseInt(hash.slice(0, 2), 16) + 1));
  if (category === 'B') return 'false';
  if (category === 'D') return type.startsWith('time ') ? `0${n}:00` : `2026-01-0${n}`;
  if (category === 'S') return `${canaryOf(whose)} ${n}`.slice(0, length ?? undefined);
  if (category === 'A') return '{}';
  if (column.isNullable) return null;
  throw new Error(
    `The matrix has no sample for ${table.name}.${column.name} of type ${type}. Give it one in test/isolation/matrix/rows.ts.`,
  );
}

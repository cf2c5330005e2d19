import type { Shown } from './print.ts';
import { type Column, formatTable } from './table.ts';

/** Objects of any shape. */
export type Rows = readonly Readonly<Record<string, unknown>>[];

/** A table of rows that nobody knows beforehand, with a column for every key there is. */
export function formatRows(rows: Rows, shown: Shown): string {
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const columns = keys.map((key): Column<Rows[number]> => ({
    title: key,
    of: (row) => textOf(row[key]),
    isLong: true,
    colour: (row) => (row[key] === null ? 'dim' : undefined),
  }));
  return formatTable(rows, columns, { ...shown, noun: 'row' });
}

function textOf(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

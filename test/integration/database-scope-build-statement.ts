import { type Compilable, type OperationNode, sql } from 'kysely';
import { columns } from './database-scope-columns.ts';
import type { Write } from './database-scope-random-writes.ts';

export type Statement = Compilable & { toOperationNode(): OperationNode };

/** What is common to Kysely's builders of writes, as far as these tests go; their types differ with the table. */
export interface Writing extends Statement {
  values(rows: unknown): Writing;
  columns(names: readonly string[]): Writing;
  expression(query: unknown): Writing;
  onConflict(make: (conflict: OnConflict) => unknown): Writing;
  set(values: Record<string, unknown>): Writing;
  from(table: unknown): Writing;
  using(table: unknown, on?: unknown): Writing;
  where(make: (eb: unknown) => unknown): Writing;
  returning(columns: unknown): Writing;
}
export interface OnConflict {
  columns(names: readonly string[]): OnConflict;
  doNothing(): OnConflict;
  doUpdateSet(values: Record<string, unknown>): OnConflict;
  where(condition: unknown): OnConflict;
}

export function returned(builder: Writing, { table, isReturning }: Write, alias: string): Statement {
  const { id, number, label } = columns[table];
  const text = (name: string, as: string) => sql`${sql.ref(`${alias}.${name}`)}::text`.as(as);
  return isReturning ? builder.returning([text(id, 'id'), text(number, 'number'), text(label, 'label')]) : builder;
}

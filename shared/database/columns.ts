import type { ColumnType } from 'kysely';
import type { JsonText } from './json-text.ts';

/** The Postgres types that a column of a tenant table may have. shared/database/values.ts says how each travels. */
export type PostgresType =
  | 'text'
  | 'uuid'
  | 'boolean'
  | 'smallint'
  | 'integer'
  | 'bigint'
  | 'numeric'
  | 'real'
  | 'double precision'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'timestamptz'
  | 'interval'
  | 'bytea'
  | 'jsonb';

declare const types: unique symbol;

/** A column as Postgres declares it. */
export interface ColumnDescription {
  readonly type: PostgresType | `${PostgresType}[]`;
  readonly isNullable: boolean;
  /** Whether Postgres fills the column in when an insert leaves it out. */
  readonly hasDefault: boolean;
}

/** A column with its TypeScript types: `S` when selected, `I` when inserted, `U` when updated. */
export interface Column<S, I = S, U = I> extends ColumnDescription {
  readonly [types]?: ColumnType<S, I, U>;
  /** The column without `not null`. */
  nullable(): Column<S | null, I | null | undefined, U | null>;
  /** The column with a default, so that an insert may leave it out. */
  withDefault(): Column<S, I | undefined, U>;
  /** An array of such values. */
  array(): Column<readonly S[], readonly I[], readonly U[]>;
}

function make<S, I, U>(type: ColumnDescription['type'], isNullable = false, hasDefault = false): Column<S, I, U> {
  return {
    type,
    isNullable,
    hasDefault,
    nullable: () => make(type, true, hasDefault),
    withDefault: () => make(type, isNullable, true),
    array: () => make(`${type as PostgresType}[]`, isNullable, hasDefault),
  };
}

const of = <S, I = S>(type: PostgresType) => make<S, I, I>(type);

/** One function a type, so that a table reads like its `create table`. */
export const column = {
  /** `text<'a' | 'b'>()` for a column that a check constraint limits to these. */
  text: <T extends string = string>() => of<T>('text'),
  uuid: () => of<string>('uuid'),
  boolean: () => of<boolean>('boolean'),
  smallint: () => of<number>('smallint'),
  integer: () => of<number>('integer'),
  /** A string: a number would lose precision past 2^53. */
  bigint: () => of<string, string | number | bigint>('bigint'),
  /** A string, with all of its digits. */
  numeric: () => of<string, string | number | bigint>('numeric'),
  real: () => of<number>('real'),
  doublePrecision: () => of<number>('double precision'),
  /** `2026-01-31` */
  date: () => of<string>('date'),
  /** `13:45:00` */
  time: () => of<string>('time'),
  /** `2026-01-31T13:45:00.123456`, without a zone. */
  timestamp: () => of<string>('timestamp'),
  /** `2026-01-31T13:45:00.123456+00:00`, always in UTC. A Date has no microseconds, so none is made. */
  timestamptz: () => of<string, string | Date>('timestamptz'),
  interval: () => of<string>('interval'),
  /** `\x` and hexadecimal digits. */
  bytea: () => of<string, string | Uint8Array>('bytea'),
  /** Give arrays and scalars as `json(value)`; an object may be given as it is. */
  jsonb: <T>() => of<T, JsonText<T> | (T extends readonly unknown[] ? never : T extends object ? T : never)>('jsonb'),
} as const;

export type TableColumns = Readonly<Record<string, ColumnDescription>>;

/** A tenant table: `tenant_id`, which every tenant table has and which fills itself in, and `columns`. */
export function table<C extends TableColumns>(columns: C): C & { readonly tenant_id: typeof tenantColumn } {
  return { tenant_id: tenantColumn, ...columns };
}

const tenantColumn = column.text().withDefault();

type KyselyColumn<C> = C extends Column<infer S, infer I, infer U> ? ColumnType<S, I, U> : never;

/** The Kysely interface of a set of tables. */
export type TablesOf<T extends Readonly<Record<string, TableColumns>>> = {
  readonly [Name in keyof T]: { readonly [C in keyof T[Name]]: KyselyColumn<T[Name][C]> };
};

import { AppError } from '../errors/index.ts';
import { JsonText } from './json-text.ts';

/**
 * How values travel. Parameters go in as the text of a literal, whose type Postgres infers from its place, and rows come out as JSON;
 * so the JavaScript type of a column follows from its Postgres type alone, never from its value.
 *
 * | Postgres | comes out as | may be given as |
 * | --- | --- | --- |
 * | text, uuid, interval, time | string | string |
 * | boolean | boolean | boolean |
 * | smallint, integer | number | number |
 * | real, double precision | number | number, but for NaN and the infinities |
 * | bigint | string | string, bigint, or a number without a fraction |
 * | numeric | string, with every digit | string, bigint, number |
 * | date | string `2026-01-31` | string |
 * | timestamp | string `2026-01-31T13:45:00.123456` | string |
 * | timestamptz | string `2026-01-31T13:45:00.123456+00:00`, in UTC | string, Date |
 * | jsonb, json | the parsed value | an object, or any value as `json(value)` |
 * | bytea | string `\x0102` | string, Uint8Array |
 * | arrays of these | array of these | array of these |
 *
 * A number inside of jsonb that a JavaScript number cannot hold exactly is an error, never a rounded value.
 */
export type ParameterValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | Date
  | Uint8Array
  | JsonText
  | readonly ParameterValue[]
  | { readonly [key: string]: unknown };

/**
 * The text of a parameter, or null for SQL's null.
 *
 * @throws AppError `internal` for what has no exact text: undefined, NaN, infinities, functions, symbols, invalid dates
 */
export function encodeParameter(value: unknown): string | null {
  switch (typeof value) {
    case 'string':
      return value;
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      if (!Number.isFinite(value)) throw refuse(String(value));
      return String(value);
    case 'object':
      return value === null ? null : encodeObject(value);
    default:
      throw refuse(typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`);
  }
}

function encodeObject(value: object): string {
  if (value instanceof JsonText) return encodeJson(value.value);
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw refuse('an invalid Date');
    return timestampText(value);
  }
  if (value instanceof Uint8Array)
    return `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`;
  if (Array.isArray(value)) return encodeArray(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return encodeJson(value);
  throw refuse(`a ${value.constructor.name}`);
}

/** Postgres writes the years that ISO 8601 needs a sign for as `10000-…` and `0001-… BC`. */
function timestampText(date: Date): string {
  const year = date.getUTCFullYear();
  const rest = date.toISOString().replace(/^[+-]?\d+-/, '-');
  const digits = String(year > 0 ? year : 1 - year).padStart(4, '0');
  return year > 0 ? `${digits}${rest}` : `${digits}${rest} BC`;
}

function encodeJson(value: unknown): string {
  const text: unknown = JSON.stringify(value, (_, item: unknown) => {
    if (typeof item === 'bigint') throw refuse('a bigint inside of JSON');
    if (typeof item === 'number' && !Number.isFinite(item)) throw refuse(`${item} inside of JSON`);
    return item;
  });
  if (typeof text !== 'string') throw refuse('a value that JSON does not know');
  return text;
}

/** The literal of an array, every item quoted. */
function encodeArray(items: readonly unknown[]): string {
  const texts = items.map((item) => {
    if (Array.isArray(item)) return encodeArray(item);
    const text = encodeParameter(item);
    return text === null ? 'NULL' : `"${text.replace(/["\\]/g, '\\$&')}"`;
  });
  return `{${texts.join(',')}}`;
}

function refuse(what: string): AppError {
  return new AppError(
    'internal',
    `A query parameter is ${what}, which Postgres has no value for. Check the value before it gets here.`,
  );
}

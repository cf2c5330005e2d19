import { exactNumber } from '../aws/json.ts';
import { dataApiError } from './errors.ts';
import type { FieldKind, ResultType } from './types.ts';

/** Choices of a request on how numbers are answered. */
export interface ValueOptions {
  readonly decimals: 'STRING' | 'DOUBLE_OR_LONG';
  readonly longs: 'LONG' | 'STRING';
}

/** A member of the Data API's Field union: the member's name and its JSON value. */
export type Field = Readonly<Record<string, unknown>>;

const nullField: Field = { isNull: true };

/** Reads a value as Postgres prints it. */
export function toField(text: string | null, type: ResultType, options: ValueOptions): Field {
  if (type.kind === undefined) throw unsupported(type);
  if (text === null) return nullField;
  if (type.isArray) return { arrayValue: toArray(text, type.kind) };
  return scalarField(text, type, type.kind, options);
}

function unsupported({ name }: ResultType): Error {
  return dataApiError(
    'UnsupportedResultException',
    `The result contains the unsupported data type ${shownName(name)}.`,
  );
}

/** Types of SQL's own are shown in capitals, others as the catalogue spells them. */
function shownName(name: string): string {
  if (name === 'char') return '"CHAR"';
  if (name.startsWith('_')) return `${name.slice(1).toUpperCase()}[]`;
  return /^(reg|pg_)/.test(name) ? name : name.toUpperCase();
}

function scalarField(text: string, type: ResultType, kind: FieldKind, options: ValueOptions): Field {
  switch (kind) {
    case 'boolean':
      return { booleanValue: text === 't' };
    case 'long':
      return type.name === 'int8' && options.longs === 'STRING'
        ? { stringValue: text }
        : { longValue: exactNumber(text) };
    case 'double':
      return { doubleValue: toDouble(text) };
    case 'decimal':
      return options.decimals === 'STRING' ? { stringValue: text } : decimalAsNumber(text);
    case 'blob':
      return { blobValue: Buffer.from(text.slice(2), 'hex').toString('base64') };
    default:
      return { stringValue: toText(text, kind) };
  }
}

/** JSON has no such numbers; AWS's JSON protocols spell them as strings, as Postgres does. */
function toDouble(text: string): number | string {
  const value = Number(text);
  return Number.isFinite(value) ? value : text;
}

function decimalAsNumber(text: string): Field {
  return /^-?\d+$/.test(text) ? { longValue: exactNumber(text) } : { doubleValue: toDouble(text) };
}

function toText(text: string, kind: FieldKind): string {
  if (kind !== 'string' && text.endsWith('infinity')) {
    throw dataApiError('InternalFailure', `The Data API cannot return the ${kind} ${text}.`);
  }
  if (kind === 'time' || kind === 'timestamp') return padFraction(text);
  return kind === 'timestamptz' ? toUtc(text) : text;
}

/** Fractions of a second have three digits if they are enough, else six. */
function padFraction(text: string): string {
  return text.replace(/\.(\d+)/, (_all, digits: string) => `.${digits.padEnd(digits.length > 3 ? 6 : 3, '0')}`);
}

/** `2026-01-02 03:04:05.6+02` in UTC and without the offset. */
function toUtc(text: string): string {
  const [all, local = '', sign, hours = '0', minutes = '0', seconds = '0'] =
    /^(.*\d)([+-])(\d{2})(?::(\d{2}))?(?::(\d{2}))?(?: BC)?$/.exec(text) ?? [];
  if (all === undefined) return text;
  const offset = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
  if (offset === 0) return padFraction(local) + (all.endsWith(' BC') ? ' BC' : '');
  const [whole = '', fraction] = local.split('.');
  const moved = Date.parse(`${whole.replace(' ', 'T')}Z`) - (sign === '-' ? -offset : offset) * 1000;
  if (Number.isNaN(moved)) return text;
  const utc = new Date(moved).toISOString().slice(0, 19).replace('T', ' ');
  return padFraction(fraction === undefined ? utc : `${utc}.${fraction}`);
}

/** The member of ArrayValue for elements of a kind, and how an element is read. */
const arrayMembers: Readonly<Partial<Record<FieldKind, readonly [string, (text: string) => unknown]>>> = {
  boolean: ['booleanValues', (text) => text === 't'],
  long: ['longValues', exactNumber],
  double: ['doubleValues', toDouble],
};

function toArray(text: string, kind: FieldKind): Field {
  const [member, read] = arrayMembers[kind] ?? ['stringValues', (element: string) => toText(element, kind)];
  return { [member]: parseArray(text).map((element) => (element === null ? null : read(element))) };
}

/**
 * Elements of a one-dimensional array as Postgres prints it: `{1,NULL,"a, \"b\""}`, perhaps with its bounds before it.
 *
 * @throws UnsupportedResultException for more dimensions
 */
export function parseArray(text: string): (string | null)[] {
  const body = text.slice(text.indexOf('{') + 1, -1);
  if (body.startsWith('{')) {
    throw dataApiError('UnsupportedResultException', 'The result contains a multidimensional array.');
  }
  return Array.from(body.matchAll(/"((?:[^"\\]|\\[^])*)"|([^,]+)/g), ([, quoted, plain]) => {
    if (quoted !== undefined) return quoted.replace(/\\([^])/g, '$1');
    return plain === undefined || plain === 'NULL' ? null : plain;
  });
}

import { dataApiError } from './errors.ts';
import { type NamedParameter, toPositional } from './named-parameters.ts';
import type { SqlParameter } from './requests.ts';

/** A value as it is bound: its Postgres type and its text, or bytes for bytea. */
interface BoundValue {
  readonly type: number;
  readonly value: string | Buffer | null;
}

export interface BoundStatement {
  readonly text: string;
  readonly values: readonly BoundValue[];
}

/** Type OIDs of Postgres's catalogue. 0 leaves the type to Postgres's inference. */
const oid = { inferred: 0, bool: 16, bytea: 17, int8: 20, text: 25, json: 114, float8: 701 } as const;

/**
 * Types are declared as the Data API does, not left to inference: a string is `text`, so that comparing it with a uuid column
 * fails here as it does on AWS, and asks for a typeHint or a cast.
 */
const hints = {
  DATE: { type: 1082, form: /^\d{4,}-\d{2}-\d{2}$/, example: 'YYYY-MM-DD' },
  DECIMAL: { type: 1700, form: /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i, example: '12.34' },
  JSON: { type: oid.json, form: undefined, example: '{}' },
  TIME: { type: 1083, form: /^\d{2}:\d{2}:\d{2}(\.\d{1,9})?$/, example: 'HH:MM:SS[.FFF]' },
  TIMESTAMP: {
    type: 1114,
    form: /^\d{4,}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{1,9})?$/,
    example: 'YYYY-MM-DD HH:MM:SS[.FFF]',
  },
  UUID: { type: 2950, form: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, example: 'a UUID' },
} as const;

/**
 * Puts a request's parameters into its statement. Parameters that the statement does not name are ignored.
 *
 * @throws ValidationException for a name that is none, BadRequestException for a value of no type or an array,
 *   DatabaseErrorException when the statement names a parameter that was not given
 */
export function bindParameters(sql: string, parameters: readonly SqlParameter[]): BoundStatement {
  const given = new Map<string, SqlParameter>();
  for (const parameter of parameters) {
    const name = parameter.name ?? '';
    if (!/^\w+$/.test(name)) {
      throw dataApiError('ValidationException', `Named parameter syntax is invalid, input: ${name}`);
    }
    given.set(name, parameter);
  }
  const { text, names } = toPositional(sql, (misread) => misreadParameter(sql, misread));
  const used = names.flatMap((name) => given.get(name) ?? []);
  if (used.length < names.length) {
    throw dataApiError(
      'DatabaseErrorException',
      `bind message supplies ${used.length} parameters, but prepared statement requires ${names.length}; SQLState: 08P01`,
    );
  }
  return { text, values: used.map(bindValue) };
}

/** AWS would run another statement than was sent, or fail with a syntax error near "$1". */
function misreadParameter(sql: string, { start, name }: NamedParameter): Error {
  const line = sql.slice(0, start).split('\n').length;
  return dataApiError(
    'ValidationException',
    `The Data API would misread ":${name}" in line ${line}, since it knows neither dollar-quoted strings nor array slices. ` +
      'Write a space after the colon, balance the quotes inside dollar quotes, or pass the text as a parameter.',
  );
}

function bindValue({ name, value, typeHint }: SqlParameter): BoundValue {
  if (value?.arrayValue !== undefined && value.arrayValue !== null) {
    throw dataApiError('BadRequestException', 'Array parameters are not supported.');
  }
  const bound = value ? chooseValue(value) : undefined;
  if (bound === undefined) {
    throw dataApiError('BadRequestException', `Parameter "${name}" has value with no field set`);
  }
  if (!typeHint || typeof bound.value !== 'string') return bound;
  const hint = hints[typeHint];
  if (bound.type !== oid.text || (hint.form && !hint.form.test(bound.value))) {
    throw dataApiError(
      'BadRequestException',
      `Parameter "${name}" has the type hint ${typeHint}, which takes a stringValue in the form ${hint.example}.`,
    );
  }
  return { type: hint.type, value: bound.value };
}

function chooseValue(value: NonNullable<SqlParameter['value']>): BoundValue | undefined {
  if (value.isNull) return { type: oid.inferred, value: null };
  if (value.stringValue !== undefined && value.stringValue !== null)
    return { type: oid.text, value: value.stringValue };
  if (value.longValue !== undefined && value.longValue !== null) {
    return { type: oid.int8, value: String(value.longValue) };
  }
  if (value.doubleValue !== undefined && value.doubleValue !== null) {
    return { type: oid.float8, value: String(value.doubleValue) };
  }
  if (value.booleanValue !== undefined && value.booleanValue !== null) {
    return { type: oid.bool, value: String(value.booleanValue) };
  }
  if (value.blobValue !== undefined && value.blobValue !== null) {
    return { type: oid.bytea, value: Buffer.from(value.blobValue, 'base64') };
  }
  return undefined;
}

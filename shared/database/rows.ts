import { AppError } from '../errors/index.ts';

/** A row as the query asked for it. */
export type Row = Readonly<Record<string, unknown>>;

/** No other number can lose a digit: a double holds 15 significant ones, and exponents of two digits. */
const mayLoseDigits = /[\d.]{16}|\de[+-]?\d{3}/i;

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;
const parseWithSource = JSON.parse as (text: string, reviver: Reviver) => unknown;

/**
 * The value of a JSON text from the database.
 *
 * @param inexact what to make of a number that a JavaScript number cannot hold exactly. @default an error
 * @throws AppError `internal` when it holds such a number
 */
export function decodeJson(text: string, inexact: (key: string, source: string) => unknown = refuseInexact): unknown {
  if (!mayLoseDigits.test(text)) return JSON.parse(text) as unknown;
  return parseWithSource(text, (key, value, { source }) =>
    typeof value === 'number' && source !== undefined && !isExact(value, source) ? inexact(key, source) : value,
  );
}

/** Whether `value` stands for all digits of `source`, and not for a rounded neighbour. */
function isExact(value: number, source: string): boolean {
  return Number.isFinite(value) && decimalOf(String(value)) === decimalOf(source);
}

/** One spelling a number: its digits without zeros at either end, and the exponent of the first. */
function decimalOf(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text) ?? [];
  const digits = `${whole}${fraction}`;
  const leading = /^0*/.exec(digits)?.[0].length ?? 0;
  const significant = digits.slice(leading).replace(/0+$/, '');
  return significant === '' ? '0' : `${sign}${significant}e${whole.length - leading + Number(exponent)}`;
}

function refuseInexact(key: string): never {
  throw new AppError(
    'internal',
    `"${key}" holds a number with more digits than a JavaScript number has. Select it as text, or keep it as a string inside of JSON.`,
  );
}

/*
 * JSON as AWS speaks it: 64-bit integers are plain JSON numbers, which JavaScript's own parser would round.
 */

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

const parse = JSON.parse as (text: string, reviver: Reviver) => unknown;
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };

/** Parses JSON; an integer that a JavaScript number cannot hold becomes a bigint. */
export function parseJson(text: string): unknown {
  return parse(text, (_key, value, { source }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && source !== undefined && /^-?\d+$/.test(source)
      ? BigInt(source)
      : value,
  );
}

/** A number in exactly these digits, for a value that is to be printed with `JSON.stringify`. */
export function exactNumber(digits: string): unknown {
  const value = Number(digits);
  return Number.isSafeInteger(value) && String(value) === digits ? value : rawJSON(digits);
}

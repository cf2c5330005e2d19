import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { json } from '../../../shared/database/json-text.ts';
import { decodeJson } from '../../../shared/database/rows.ts';
import { encodeParameter } from '../../../shared/database/values.ts';

describe('a parameter', () => {
  test.each<[unknown, string | null]>([
    ['text', 'text'],
    ['', ''],
    [null, null],
    [true, 'true'],
    [-0, '0'],
    [1e21, '1e+21'],
    [10n ** 30n, `1${'0'.repeat(30)}`],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
    [Uint8Array.of(1, 171), '\\x01ab'],
    [Buffer.from('xay').subarray(1, 2), '\\x61'],
    [[], '{}'],
    [[1, 'a"b\\', null, [true], new Date(0)], '{"1","a\\"b\\\\",NULL,{"true"},"1970-01-01T00:00:00.000Z"}'],
    [[{ a: 1 }], '{"{\\"a\\":1}"}'],
    [{ a: [1, { b: null }] }, '{"a":[1,{"b":null}]}'],
    [json([1, 2]), '[1,2]'],
    [json('text'), '"text"'],
    [json(null), 'null'],
  ])('%o is sent as %j', (value, text) => {
    expect(encodeParameter(value)).toBe(text);
  });

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['an invalid Date', new Date(Number.NaN)],
    ['a symbol', Symbol('x')],
    ['a function', () => 1],
    ['a Map', new Map()],
    ['undefined', [undefined]],
    ['NaN inside of JSON', { a: [Number.NaN] }],
    ['a value that JSON does not know', json(undefined)],
  ])('is refused when it is %s', (what, value) => {
    expect(() => encodeParameter(value)).toThrow(`A query parameter is ${what}`);
  });

  test('is refused when it is JSON with a bigint', () => {
    expect(() => encodeParameter(json({ a: 1n }))).toThrow('A query parameter is a bigint inside of JSON');
  });
});

describe('an answer', () => {
  test('is read as JSON.parse reads it, whenever numbers are exact', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const text = JSON.stringify(value);
        expect(decodeJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  test('never holds a number that differs from the text', () => {
    const digits = fc.stringMatching(/^[1-9][0-9]{0,30}(\.[0-9]{1,25})?$/);
    fc.assert(
      fc.property(digits, fc.boolean(), (number, isNegative) => {
        const text = `{"n": ${isNegative ? '-' : ''}${number}}`;
        let answer: unknown;
        try {
          answer = decodeJson(text);
        } catch (error) {
          expect(error).toMatchObject({ code: 'internal' });
          return;
        }
        const { n } = answer as { n: number };
        expect(sameDecimal(BigInt(0), number, String(Math.abs(n)))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

/** Compares two decimals by scaling both to integers: another way than the code's own. */
function sameDecimal(zero: bigint, ...texts: readonly string[]): boolean {
  const [first, ...rest] = texts.map((text) => {
    const [mantissa = '', exponent = '0'] = text.split('e');
    const [whole = '', fraction = ''] = mantissa.split('.');
    return BigInt(whole + fraction.padEnd(60 + Number(exponent), '0'));
  });
  return rest.every((value) => value === first && value >= zero);
}

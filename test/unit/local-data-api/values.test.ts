import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FieldKind, ResultType } from '../../../local/data-api/types.ts';
import { parseArray, toField } from '../../../local/data-api/values.ts';

const options = { decimals: 'STRING', longs: 'LONG' } as const;
const type = (kind: FieldKind, name: string = kind): ResultType => ({ name, kind, isArray: false, jdbcType: 0 });
const field = (text: string | null, kind: FieldKind): unknown => toField(text, type(kind), options);
/** What a client receives: the number's digits, exactly. */
const json = (value: unknown): string => JSON.stringify(value);

describe('result values', () => {
  it('are the member of the Field union that their type asks for', () => {
    expect(field('t', 'boolean')).toEqual({ booleanValue: true });
    expect(field('42', 'long')).toEqual({ longValue: 42 });
    expect(field('0.1', 'double')).toEqual({ doubleValue: 0.1 });
    expect(field('1.50', 'decimal')).toEqual({ stringValue: '1.50' });
    expect(field('\\x0102', 'blob')).toEqual({ blobValue: 'AQI=' });
    expect(field('x', 'string')).toEqual({ stringValue: 'x' });
    expect(field(null, 'long')).toEqual({ isNull: true });
  });

  it('keep every digit of any bigint', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        expect(json(field(String(value), 'long'))).toBe(`{"longValue":${value}}`);
      }),
    );
  });

  it('follow the request in how numbers are answered', () => {
    const numbers = { decimals: 'DOUBLE_OR_LONG', longs: 'STRING' } as const;
    expect(toField('7', type('long', 'int8'), numbers)).toEqual({ stringValue: '7' });
    expect(toField('7', type('long', 'int4'), numbers)).toEqual({ longValue: 7 });
    expect(toField('7', type('decimal'), numbers)).toEqual({ longValue: 7 });
    expect(toField('7.5', type('decimal'), numbers)).toEqual({ doubleValue: 7.5 });
  });

  it.each([
    ['2026-01-02 03:04:05+00', '2026-01-02 03:04:05'],
    ['2026-01-02 03:04:05.6+00', '2026-01-02 03:04:05.600'],
    ['2026-01-02 03:04:05.6789+00', '2026-01-02 03:04:05.678900'],
    ['2026-01-02 03:04:05.000001+02', '2026-01-02 01:04:05.000001'],
    ['2026-01-01 23:30:00-05:45', '2026-01-02 05:15:00'],
  ])('print the time with zone %s in UTC as %s', (text, expected) => {
    expect(field(text, 'timestamptz')).toEqual({ stringValue: expected });
  });

  it('cannot be infinite times', () => {
    expect(() => field('infinity', 'timestamp')).toThrow(expect.objectContaining({ name: 'InternalFailure' }));
    expect(() => field('-infinity', 'date')).toThrow(expect.objectContaining({ name: 'InternalFailure' }));
    expect(field('infinity', 'string')).toEqual({ stringValue: 'infinity' });
  });

  it('cannot be of a type that AWS does not return', () => {
    const unsupported = { name: 'money', kind: undefined, isArray: false, jdbcType: 8 };
    expect(() => toField('1', unsupported, options)).toThrow('The result contains the unsupported data type MONEY.');
    expect(() => toField('p', { ...unsupported, name: 'char' }, options)).toThrow('unsupported data type "CHAR".');
    expect(() => toField('x', { ...unsupported, name: 'regclass' }, options)).toThrow(
      'unsupported data type regclass.',
    );
  });

  it('may be arrays, by the type of their elements', () => {
    const array = (text: string, kind: FieldKind): unknown => toField(text, { ...type(kind), isArray: true }, options);
    expect(array('{1,NULL,3}', 'long')).toEqual({ arrayValue: { longValues: [1, null, 3] } });
    expect(array('{t,f}', 'boolean')).toEqual({ arrayValue: { booleanValues: [true, false] } });
    expect(array('{0.5}', 'double')).toEqual({ arrayValue: { doubleValues: [0.5] } });
    expect(array('{1.50}', 'decimal')).toEqual({ arrayValue: { stringValues: ['1.50'] } });
    expect(array('[0:1]={a,b}', 'string')).toEqual({ arrayValue: { stringValues: ['a', 'b'] } });
    expect(() => array('{{1},{2}}', 'long')).toThrow('The result contains a multidimensional array.');
  });

  it('survive being printed as an array by Postgres, whatever the texts', () => {
    const print = (element: string | null): string =>
      element === null ? 'NULL' : `"${element.replace(/["\\]/g, (character) => `\\${character}`)}"`;
    fc.assert(
      fc.property(fc.array(fc.option(fc.string({ unit: 'binary' }))), (elements) => {
        expect(parseArray(`{${elements.map(print).join(',')}}`)).toEqual(elements);
      }),
    );
  });
});

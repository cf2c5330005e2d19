import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutTo, printable, printableJson, widthOf } from '../../../cli/terminal/printable.ts';
import { type Column, formatTable } from '../../../cli/terminal/table.ts';

const plain = (_: unknown, text: string): string => text;
type Row = readonly [string, string, string];
const columns: readonly Column<Row>[] = [
  { title: 'ID', of: ([id]) => id },
  { title: 'NAME', of: ([, name]) => name, isLong: true },
  { title: 'STATE', of: ([, , state]) => state },
];
const table = (rows: readonly Row[], width: number): string[] =>
  formatTable(rows, columns, { paint: plain, columns: width, noun: 'row' }).split('\n');

describe('a table', () => {
  it('cuts long texts first, then others, and leaves columns out at last', () => {
    const row: Row = ['acme', 'A company with a long name', 'suspended'];
    expect(table([row], 80)[1]).toBe('acme  A company with a long name  suspended');
    expect(table([row], 30)[1]).toBe('acme  A company wi…  suspended');
    expect(table([row], 20)[1]).toBe('acme  A com…  suspe…');
    expect(table([row], 10)[1]).toBe('acme  A c…');
  });

  it('never has a line that a terminal would wrap, or a character that it would obey', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('日本語', 'e\u0301', '👍', '\u001b[31m', '\r\n'),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(text, text, text), { maxLength: 5 }),
        fc.integer({ min: 12, max: 80 }),
        (rows, width) => {
          for (const line of table(rows, width)) {
            expect(widthOf(line)).toBeLessThanOrEqual(width);
            expect(printable(line)).toBe(line);
          }
        },
      ),
    );
  });

  it('stands in columns whatever letters are in them', () => {
    const [, wide, combined] = table(
      [
        ['日本', 'x', 'a'],
        ['e\u0301e', 'y', 'b'],
      ],
      80,
    );
    expect(wide).toBe('日本  x     a');
    expect(combined).toBe('e\u0301e    y     b');
  });
});

describe('text of somebody else', () => {
  it('is cut to columns, not to letters', () => {
    expect(cutTo('日本語', 4)).toBe('日…');
    expect(cutTo('abc', 3)).toBe('abc');
    expect(cutTo('abc', 0)).toBe('');
  });

  it('means the same as JSON, without anything that a terminal obeys', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (value, text) => {
        const shown = printableJson({ value, text });
        expect(JSON.parse(shown)).toEqual(JSON.parse(JSON.stringify({ value, text })));
        expect(shown.split('\n').map(printable).join('\n')).toBe(shown);
      }),
    );
    expect(printableJson('\u009b31m\u202e')).toBe('"\\u009b31m\\u202e"');
  });
});

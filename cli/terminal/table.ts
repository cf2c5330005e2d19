import type { Colour, Paint } from './paint.ts';
import { cutTo, padTo, printable, widthOf } from './printable.ts';

export interface Column<Row> {
  readonly title: string;
  /** What stands there; made printable by the table. */
  readonly of: (row: Row) => string;
  readonly colour?: (row: Row) => Colour | undefined;
  /** Whether it is cut first when the terminal is narrow. @default false */
  readonly isLong?: boolean;
  /** Whether it is of no use when it is cut, as an id: columns behind it are left out before. @default false */
  readonly isWhole?: boolean;
}

export interface TableOptions {
  readonly paint: Paint;
  /** Of the terminal. */
  readonly columns: number;
  /** What the rows are, to count them below the table: `tenant`. */
  readonly noun: string;
  /** Several of them. @default the noun with an s */
  readonly nouns?: string;
}

const gap = 2;
/** Columns that a long text and any other keep on a narrow terminal. */
const leastLong = 8;
const least = 4;

/** A line a row, none longer than the terminal is wide: long texts are cut first, then all, and at last whole columns are left out. */
export function formatTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { paint, columns: available, noun, nouns = `${noun}s` }: TableOptions,
): string {
  if (rows.length === 0) return paint('dim', `No ${nouns}.`);
  const cells = rows.map((row) => columns.map(({ of }) => printable(of(row))));
  const wanted = columns.map(({ title }, at) =>
    Math.max(widthOf(title), ...cells.map((texts) => widthOf(texts[at] ?? ''))),
  );
  const widths = fit(wanted, columns, available);
  // Padded before they are painted, since colours have a length but no width.
  const line = (texts: readonly string[], colourOf: (at: number) => Colour | undefined): string =>
    widths
      .map((width, at) => {
        const text = cutTo(texts[at] ?? '', width);
        const padded = at === widths.length - 1 ? text : padTo(text, width);
        const colour = colourOf(at);
        return colour === undefined ? padded : paint(colour, padded);
      })
      .join(' '.repeat(gap));
  return [
    line(
      columns.map(({ title }) => title),
      () => 'dim',
    ),
    ...rows.map((row, index) => line(cells[index] ?? [], (at) => columns[at]?.colour?.(row))),
    paint('dim', `${rows.length} ${rows.length === 1 ? noun : nouns}`),
  ].join('\n');
}

/** Widths that fit into the terminal, for as many columns as do. */
function fit<Row>(wanted: readonly number[], columns: readonly Column<Row>[], available: number): readonly number[] {
  const widths = [...wanted];
  const tooMuch = (): number => widths.reduce((sum, width) => sum + width + gap, -gap) - available;
  const shrink = (may: (column: Column<Row> | undefined) => boolean, to: number): void => {
    while (tooMuch() > 0) {
      const candidates = widths.map((width, at) => (may(columns[at]) && width > to ? width : 0));
      const widest = Math.max(...candidates);
      if (widest === 0) return;
      widths[candidates.indexOf(widest)] = widest - 1;
    }
  };
  shrink((column) => column?.isLong === true, leastLong);
  shrink((column) => column?.isWhole !== true, least);
  while (tooMuch() > 0 && widths.length > 1) widths.pop();
  shrink(() => true, least);
  return widths;
}

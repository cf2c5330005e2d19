import type { Colour, Paint } from './paint.ts';
import { padTo, printable, widthOf } from './printable.ts';

/** A value, and its colour if it has one. */
export type Field = string | readonly [text: string, colour: Colour];

/** One thing for a terminal, a line a field. Texts are made printable. */
export function formatFields(fields: Readonly<Record<string, Field | undefined>>, paint: Paint): string {
  const shown = Object.entries(fields).flatMap(([label, field]) =>
    field === undefined ? [] : [[label, field] as const],
  );
  const width = Math.max(0, ...shown.map(([label]) => widthOf(label)));
  return shown
    .map(([label, field]) => {
      const [text, colour] = typeof field === 'string' ? [field] : field;
      const value = printable(text);
      return `${paint('dim', padTo(label, width))}  ${colour === undefined ? value : paint(colour, value)}`;
    })
    .join('\n');
}

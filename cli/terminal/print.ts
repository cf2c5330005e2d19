import { type Paint, paintOutput } from './paint.ts';
import { printableJson } from './printable.ts';

/** What a formatter needs to know of the terminal. */
export interface Shown {
  readonly paint: Paint;
  /** How wide it is. */
  readonly columns: number;
}

/**
 * Prints the answer of a command: for people on a terminal, else as JSON.
 *
 * @param format makes the text for a terminal
 */
export function print<T>(value: T, json: boolean, format: (value: T, shown: Shown) => string): void {
  if (json || !process.stdout.isTTY) console.log(printableJson(value));
  else console.log(format(value, { paint: paintOutput, columns: process.stdout.columns || 80 }));
}

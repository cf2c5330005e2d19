import { UsageError } from './command-error.ts';

/** A number that somebody has typed. @throws UsageError unless it is a whole one of the range */
export function wholeNumber(name: string, text: string, from: number, to: number): number {
  const value = Number(text);
  if (/^\d{1,9}$/.test(text) && value >= from && value <= to) return value;
  throw new UsageError(`${name} takes a whole number from ${from} to ${to}, not ${JSON.stringify(text)}.`);
}

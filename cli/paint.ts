import type { styleText } from 'node:util';

/** Gives text a colour, or leaves it as it is. */
export type Paint = (format: Parameters<typeof styleText>[0], text: string) => string;

import { styleText } from 'node:util';

export type Colour = Parameters<typeof styleText>[0];

/** Gives text a colour, or leaves it as it is. */
export type Paint = (format: Colour, text: string) => string;

/** Colours for what is printed, unless the output is no terminal or `NO_COLOR` is set. */
export const paintOutput: Paint = (format, text) => styleText(format, text, { stream: process.stdout });

/** The same for what is said beside it, such as progress. */
export const paintError: Paint = (format, text) => styleText(format, text, { stream: process.stderr });

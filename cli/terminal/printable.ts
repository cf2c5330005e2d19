/** What a terminal obeys, or what makes text look like other text: control characters, C1 too, and those that turn the direction. */
const obeyed = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Text that somebody else has chosen, with a question mark for whatever a terminal would obey. */
export const printable = (text: string): string => text.replaceAll(obeyed, '?');

/** The same for several lines. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n');

/** JSON that a terminal shows as it is: what it would obey is escaped, which means the same to whoever reads JSON. */
export function printableJson(value: unknown, indent = 2): string {
  const escape = (text: string): string =>
    text.replaceAll(obeyed, (found) =>
      Array.from({ length: found.length }, (_, at) => `\\u${found.charCodeAt(at).toString(16).padStart(4, '0')}`).join(
        '',
      ),
    );
  return JSON.stringify(value, null, indent).split('\n').map(escape).join('\n');
}

/** Columns that a printable text takes: none for what joins the letter before, two for wide letters and most pictures. */
export function widthOf(text: string): number {
  let width = 0;
  for (const letter of text) width += /\p{M}/u.test(letter) ? 0 : wide.test(letter) ? 2 : 1;
  return width;
}
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

/** The begin of a text, with an ellipsis if that is not all of it. */
export function cutTo(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let cut = '';
  for (const letter of text) {
    if (widthOf(cut + letter) > columns - 1) break;
    cut += letter;
  }
  return columns < 1 ? '' : `${cut}…`;
}

/** A text with as many spaces behind it as it takes to fill the columns. */
export const padTo = (text: string, columns: number): string => text + ' '.repeat(Math.max(0, columns - widthOf(text)));

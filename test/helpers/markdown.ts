/** A fenced block of a Markdown text. */
export interface Block {
  /** What stands behind the fence: `sh`, `ts`, `text` … */
  readonly language: string;
  readonly text: string;
  /** The file that the line above the block names in bold: **`path/to/file`**. */
  readonly file: string | undefined;
}

export function blocksOf(markdown: string): readonly Block[] {
  const pattern = /(?:\*\*`(?<file>[^`]+)`\*\*\n+)?^```(?<language>[\w-]+)\n(?<text>[\s\S]*?)^```$/gm;
  return [...markdown.matchAll(pattern)].map(({ groups = {} }) => ({
    language: groups.language ?? '',
    text: groups.text ?? '',
    file: groups.file,
  }));
}

/**
 * Applies a diff without line numbers: each line with `-` goes, and lines with `+` come where the line before them stands.
 *
 * @throws Error when a line of the diff is not in the text
 */
export function applyDiff(text: string, diff: string): string {
  const lines = text.split('\n');
  let at = 0;
  for (const line of diff.trimEnd().split('\n')) {
    const content = line.slice(1);
    if (line.startsWith('+')) {
      lines.splice(at, 0, content);
      at += 1;
      continue;
    }
    const found = lines.indexOf(content, at);
    if (found < 0) throw new Error(`The diff names a line that is not there: ${content}`);
    if (line.startsWith('-')) lines.splice(found, 1);
    at = line.startsWith('-') ? found : found + 1;
  }
  return lines.join('\n');
}

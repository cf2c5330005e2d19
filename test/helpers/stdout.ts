import { afterEach, vi } from 'vitest';

/** JSON lines that were written to standard output or error since the call. Restored after each test. */
export function captureJsonLines(): Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = [];
  const write = (chunk: unknown) => {
    for (const line of String(chunk).split('\n'))
      if (line.startsWith('{')) lines.push(JSON.parse(line) as Record<string, unknown>);
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(write);
  vi.spyOn(process.stderr, 'write').mockImplementation(write);
  return lines;
}

afterEach(() => {
  vi.restoreAllMocks();
});

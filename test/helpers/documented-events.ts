import { readFileSync } from 'node:fs';

/** The example detail of each event that docs/events.md describes, by its type. */
export function documentedEvents(): Map<string, Record<string, unknown>> {
  const sections = readFileSync('docs/events.md', 'utf8').matchAll(/^### `(\w+)`\n[^#]*?^```json\n([^]*?)^```$/gm);
  return new Map(
    [...sections].map(([, type = '', example = '']) => [type, JSON.parse(example) as Record<string, unknown>]),
  );
}

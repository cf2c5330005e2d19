import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errorCatalogue } from '../../../shared/errors/index.ts';

describe('docs/errors.md', () => {
  it('describes exactly the codes of the catalogue, with their status', () => {
    const rows = readFileSync('docs/errors.md', 'utf8').matchAll(/^\| `([\w-]+)`\s*\| (\d{3})\s*\| (.+) \|$/gm);
    const described = Object.fromEntries([...rows].map(([, code, status]) => [code, Number(status)]));
    const catalogued = Object.fromEntries(Object.entries(errorCatalogue).map(([code, { status }]) => [code, status]));
    expect(described).toEqual(catalogued);
  });
});

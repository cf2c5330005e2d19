import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { pageQuery, pageQueryBy, toPage, toPageBy, uuidv7 } from '../../../shared/http/index.ts';

const query = z.strictObject(pageQuery);
const row = (at: number) => ({
  id: uuidv7(at),
  createdAt: `2026-01-01T00:00:00.${String(at).padStart(6, '0')}+00:00`,
  at,
});
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

test('Walking through the pages visits every row once, in order, whatever the page size', () => {
  fc.assert(
    fc.property(fc.nat(50), fc.integer({ min: 1, max: 20 }), (count, limit) => {
      const rows = Array.from({ length: count }, (_, at) => row(at));
      const visited: number[] = [];
      let cursor: string | undefined;
      do {
        const page = query.parse({ limit: String(limit), ...(cursor && { cursor }) });
        const start = page.cursor ? rows.findIndex(({ id }) => id === page.cursor?.[1]) + 1 : 0;
        const { items, nextCursor } = toPage(rows.slice(start, start + page.limit + 1), page);
        visited.push(...items.map(({ at }) => at));
        cursor = nextCursor ?? undefined;
      } while (cursor);
      expect(visited).toEqual(rows.map(({ at }) => at));
    }),
    { seed: 1 },
  );
});

test('A page that is full to the brim, with nothing behind it, has no next cursor', () => {
  expect(toPage([row(1), row(2)], { limit: 2 }).nextCursor).toBeNull();
  expect(toPage([], { limit: 2 })).toEqual({ items: [], nextCursor: null });
});

test('A cursor keeps the microseconds of the row', () => {
  const { nextCursor } = toPage([row(123_456), row(2)], { limit: 1 });
  expect(query.parse({ cursor: nextCursor }).cursor?.[0]).toBe('2026-01-01T00:00:00.123456+00:00');
});

test.each([
  'x',
  '',
  encode('text'),
  encode(['2026-01-01T00:00:00Z']),
  encode(['now()', uuidv7()]),
  encode(['2026-02-31T00:00:00Z', uuidv7()]),
  encode(['0000-01-01T00:00:00Z', uuidv7()]),
  encode(['2026-01-01T00:00:00Z', "' or 1=1"]),
  encode(['2026-01-01T00:00:00Z', uuidv7(), 'more']),
  'a'.repeat(501),
  encode(['2026-01-01T00:00:00+16:00', uuidv7()]),
  encode([`2026-01-01T00:00:00.${'1'.repeat(300)}+00:00`, uuidv7()]),
  encode(['2026-02-31T00:00:00+00:00', uuidv7()]),
  `${encode(['2026-01-01T00:00:00+00:00', uuidv7()])}==`,
  `!${encode(['2026-01-01T00:00:00+00:00', uuidv7()])}`,
  Buffer.from(`["2026-01-01T00:00:00+00:00", "${uuidv7()}"]`).toString('base64url'),
])('The tampered cursor %j is refused', (cursor) => {
  expect(query.safeParse({ cursor }).error?.issues.map(({ path }) => path)).toEqual([['cursor']]);
});

test('Ids of version 7 sort by the time that they were made', () => {
  const ids = [1, 1_700_000_000_000, 1_800_000_000_000, 2 ** 48 - 1].map((at) => uuidv7(at));
  expect(ids).toEqual(ids.toSorted());
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(new Set(Array.from({ length: 1000 }, () => uuidv7(0))).size).toBe(1000);
});

test('A list whose rows are told apart otherwise takes cursors of its own and no others', () => {
  const bySlug = z.strictObject(pageQueryBy(z.string().regex(/^[a-z]{3}$/)));
  const rows = ['abc', 'xyz'].map((slug) => ({ slug, createdAt: '2026-01-01T00:00:00+00:00' }));
  const { items, nextCursor } = toPageBy(rows, { limit: 1 }, ({ slug }) => slug);
  expect(items).toEqual(rows.slice(0, 1));
  expect(bySlug.parse({ cursor: nextCursor }).cursor).toEqual(['2026-01-01T00:00:00+00:00', 'abc']);
  expect(query.safeParse({ cursor: nextCursor }).success).toBe(false);
  expect(bySlug.safeParse({ cursor: toPage([row(1), row(2)], { limit: 1 }).nextCursor }).success).toBe(false);
});

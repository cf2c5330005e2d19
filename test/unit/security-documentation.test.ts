import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';

interface Reference {
  readonly file: string;
  readonly title: string | undefined;
}

/** `test/….ts` "title of a test or of a group of tests". */
function referencesIn(markdown: string): readonly Reference[] {
  const matches = markdown.matchAll(/`(?<file>test\/[^`]+\.ts)`(?:\s+"(?<title>(?:\\"|[^"])+)")?/g);
  return [...matches].map(({ groups = {} }) => ({
    file: groups.file ?? '',
    title: groups.title?.replaceAll('\\"', '"').replaceAll(/\s+/g, ' '),
  }));
}

/** Titles of tests and groups, also of tables of tests, which stand behind the table. */
function titlesIn(source: string): readonly string[] {
  const literals = source.matchAll(/(?:\b(?:it|test|describe)|\)|\])\(\s*(?:'((?:\\'|[^'])+)'|"([^"]+)"|`([^`]+)`),/g);
  return [...literals].map(
    ([, single, double, template]) => single?.replaceAll("\\'", "'") ?? double ?? template ?? '',
  );
}

/** A title that is nothing but what a table of tests fills in says nothing. */
const isEmpty = (title: string): boolean => !/[a-z]/i.test(title.replaceAll(/%[a-z]|\$\w+|\$\{[^}]*\}/g, ''));

/** What is wrong with the references of a text. */
async function mistakesIn(markdown: string): Promise<readonly string[]> {
  const mistakes = await Promise.all(
    referencesIn(markdown).map(async ({ file, title }) => {
      const source = await readFile(file, 'utf8').catch(() => undefined);
      if (source === undefined) return `${file} does not exist`;
      if (title === undefined) return undefined;
      if (isEmpty(title)) return `${file} has a title that says nothing: "${title}"`;
      return titlesIn(source).includes(title) ? undefined : `${file} has no test "${title}"`;
    }),
  );
  return mistakes.filter((mistake) => mistake !== undefined);
}

/** Rows of the tables whose last column is "Shown by". */
function claimsIn(markdown: string): readonly string[] {
  const tables = markdown.split('\n\n').filter((block) => /^\|.*\| Shown by +\|$/m.test(block));
  return tables.flatMap((table) => table.trim().split('\n').slice(2));
}

it('every test that docs/security.md names exists', async () => {
  expect(await mistakesIn(await readFile('docs/security.md', 'utf8'))).toEqual([]);
});

it('every layer and every side channel of docs/security.md names a test', async () => {
  const claims = claimsIn(await readFile('docs/security.md', 'utf8'));
  expect(claims.length).toBeGreaterThan(20);
  const unfounded = claims.filter((claim) => !referencesIn(claim).some(({ title }) => title !== undefined));
  expect(unfounded).toEqual([]);
});

it('a reference to a title that says nothing is noticed', async () => {
  const file = 'test/unit/security-documentation.test.ts';
  const mistakes = await mistakesIn(`\`${file}\` "%s", \`${file}\` "$title: %d"`);
  expect(mistakes).toEqual(['%s', '$title: %d'].map((title) => `${file} has a title that says nothing: "${title}"`));
});

it('a reference to what does not exist is noticed', async () => {
  const file = 'test/unit/security-documentation.test.ts';
  const mistakes = await mistakesIn(`\`test/no-such.test.ts\` "x", \`${file}\` "no such title"`);
  expect(mistakes).toEqual(['test/no-such.test.ts does not exist', `${file} has no test "no such title"`]);
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findParameters, toPositional } from '../../../local/data-api/named-parameters.ts';

const refuse = ({ name }: { readonly name: string }): Error => new Error(`misread ${name}`);
const rewrite = (sql: string): string => toPositional(sql, refuse).text;

describe('named parameters', () => {
  it('become positional ones, the same one where a name occurs twice', () => {
    expect(toPositional('select :a, :b_2, :a', refuse)).toEqual({ text: 'select $1, $2, $1', names: ['a', 'b_2'] });
  });

  it('may be numbers, as query builders name them', () => {
    expect(toPositional('values (:1, :2)', refuse)).toEqual({ text: 'values ($1, $2)', names: ['1', '2'] });
  });

  it.each([
    ['a string literal', `':no'`],
    ['a doubled quote', `'it''s :no'`],
    ['an escape string', String.raw`E'it\'s :no'`],
    ['a string continued on the next line', `E'a'\n  'it\\'s :no'`],
    ['a string continued after a comment', `'a' -- why :no\n ':no'`],
    ['a quoted identifier', `"a "":no"`],
    ['a line comment', '-- :no\n'],
    ['a block comment', '/* :no */'],
    ['nested block comments', '/* /* :no */ :no */'],
    ['a cast', 'a::text'],
    ['a named argument', 'f(a := 1)'],
    ['a slice that is written with spaces', 'a[1 : 2]'],
    ['an unfinished string', `':no`],
    ['an unfinished comment', '/* :no'],
    ['a JSON operator', `data #>> '{a:no}' ?| array['x']`],
  ])('are not found in %s', (_what, sql) => {
    expect(rewrite(`select ${sql}`)).toBe(`select ${sql}`);
  });

  it.each([
    ['before a cast', 'select :a::text', 'select $1::text'],
    ['in a named argument', 'f(a := :a)', 'f(a := $1)'],
    ['in an array constructor', 'array[:a, case when true then :b end]', 'array[$1, case when true then $2 end]'],
    ['as a subscript', 't.a[:i]', 't.a[$1]'],
    ['after a string whose backslash is a character', String.raw`'\' || :a`, String.raw`'\' || $1`],
    ['after an identifier with dollars', 'a$b$ = :a', 'a$b$ = $1'],
    ['beside a dollar-quoted string without a colon', `$$text$$, :a, $t$'$$'$t$`, `$$text$$, $1, $t$'$$'$t$`],
  ])('are found %s', (_where, sql, expected) => {
    expect(rewrite(sql)).toBe(expected);
  });

  it.each([
    ['a dollar-quoted string', 'select $$a :b c$$'],
    ['a tagged dollar-quoted string', 'do $body$ begin perform x[1:n]; end $body$'],
    ['an array slice', 'select a[1:2]'],
    ['a slice between expressions', 'select (a)[:n][lower(b):n]'],
    ['what follows a lone quote in a dollar-quoted string', `select $$it's$$, :a`],
  ])('are refused where AWS would misread %s', (_what, sql) => {
    expect(() => rewrite(sql)).toThrow(/^misread/);
  });

  it('leave the rest of any statement as it is', () => {
    const pieces = fc.constantFrom(
      `'a :x'`,
      `E'\\':x'`,
      `"q:x"`,
      '--:x\n',
      '/*:x/*:x*/*/',
      '::int',
      ':=',
      ' ',
      '(',
      ')',
      ',',
      'name',
      '12.5',
      '@>',
      '?|',
      '\n',
    );
    const parameters = fc.constantFrom('p', 'q1', '_r', '7');
    const statement = fc.array(
      fc.oneof(
        pieces,
        parameters.map((name) => ({ name })),
      ),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(statement, (parts) => {
        // A space keeps what was put side by side from growing together.
        const sql = parts.map((part) => (typeof part === 'string' ? part : `:${part.name}`)).join(' ');
        const names = [...new Set(parts.flatMap((part) => (typeof part === 'string' ? [] : part.name)))];
        const expected = parts
          .map((part) => (typeof part === 'string' ? part : `$${names.indexOf(part.name) + 1}`))
          .join(' ');
        expect(toPositional(sql, refuse)).toEqual({ text: expected, names });
      }),
    );
  });

  it('never loops, loses or invents text, whatever the input', () => {
    const characters = fc.constantFrom(...Array.from(`'":$-/*\\eE[]ab1 \n;`));
    fc.assert(
      fc.property(fc.string({ unit: characters, maxLength: 60 }), (sql) => {
        const found = findParameters(sql);
        for (const { start, end, name } of found) expect(sql.slice(start, end)).toBe(`:${name}`);
        for (let i = 1; i < found.length; i++) expect(found[i]?.start).toBeGreaterThanOrEqual(found[i - 1]?.end ?? 0);
      }),
      { numRuns: 2_000 },
    );
  });
});

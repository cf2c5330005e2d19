import { describe, expect, test } from 'vitest';
import { operationInputs } from '../../../shared/control/operations-schema.ts';

const isName = (name: string): boolean => operationInputs.rename.safeParse({ name }).success;

describe('the name of a tenant', () => {
  test.each(['Acme', 'Björn & Söhne', '株式会社 例', 'שלום בע״מ', '\u05d0\u200f 1', 'नेपाल\u200dी', '👩‍🚀'])(
    'may be %j',
    (name) => {
      expect(isName(name)).toBe(true);
    },
  );

  test.each([
    ['a second line', 'Acme\nGlobex'],
    ['a line of another kind', 'Acme\u2028Globex'],
    ['a paragraph', 'Acme\u2029Globex'],
    ['an escape', '\u001b[2JAcme'],
    ['a control character of eight bits', 'Acme\u009b'],
    ['text that is shown backwards', 'Acme \u202egnp.exe'],
    ['text that is kept apart', '\u2066Acme\u2069'],
    ['nothing in it', ''],
  ])('is refused with %s', (_, name) => {
    expect(isName(name)).toBe(false);
  });
});

import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cached } from '../../lib/bundling/bundle-cache.ts';
import { makePassableFolder } from '../helpers/passable-folder.ts';
import { asNobody, isRoot, needsRoot } from '../helpers/other-users.ts';

let folder: string;
let cache: string;
let made: string[];
let given: string[];
beforeEach(async () => {
  folder = await makePassableFolder('tenantry-bundles-');
  cache = join(folder, 'cache');
  made = [];
  given = [];
});
afterEach(async () => {
  for (const path of [folder, ...given]) await rm(path, { recursive: true, force: true });
});

/** What the cache gives for `key`, made of `text` if it is not there. */
function textOf(key: string, text = key): string {
  const kept = cached(cache, key, (unfinished) => {
    made.push(key);
    writeFileSync(join(unfinished, 'index.mjs'), text);
  });
  given.push(kept);
  return readFileSync(join(kept, 'index.mjs'), 'utf8');
}

describe('bundles that were made before', () => {
  it('are used again', () => {
    expect([textOf('a'), textOf('a', 'other')]).toEqual(['a', 'a']);
    expect(made).toEqual(['a']);
  });

  it('are not mistaken for one that could not be finished', () => {
    const fail = () => {
      throw new Error('syntax error');
    };
    expect(() => cached(cache, 'a', fail)).toThrow('syntax error');
    expect(readdirSync(cache)).toEqual([]);
    expect(textOf('a')).toBe('a');
  });

  it('go a day after they were made, when the next one is', () => {
    const yesterday = Date.now() / 1000 - 25 * 60 * 60;
    textOf('old');
    utimesSync(join(cache, 'old'), yesterday, yesterday);
    textOf('new');
    expect(readdirSync(cache)).toEqual(['new']);
  });
});

describe('a second user of the checkout', () => {
  it('uses what the first has bundled', ({ skip }) => {
    skip(!isRoot, needsRoot);
    textOf('a');
    expect(asNobody(() => textOf('a'))).toBe('a');
    expect(made).toEqual(['a']);
  });

  it('bundles for himself what the first has not, or keeps from others', ({ skip }) => {
    skip(!isRoot, needsRoot);
    textOf('private');
    chmodSync(join(cache, 'private'), 0o700);
    expect(asNobody(() => [textOf('b'), textOf('private')])).toEqual(['b', 'private']);
    expect(readdirSync(cache)).toEqual(['private']);
  });

  it('need not be able to remove what others have left', ({ skip }) => {
    skip(!isRoot, needsRoot);
    mkdirSync(join(cache, 'old'), { recursive: true });
    writeFileSync(join(cache, 'old', 'index.mjs'), '');
    utimesSync(join(cache, 'old'), 0, 0);
    chmodSync(cache, 0o777);
    expect(asNobody(() => textOf('b'))).toBe('b');
    expect(existsSync(join(cache, 'old'))).toBe(true);
  });
});

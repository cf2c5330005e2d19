import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { functionNames, synthesize, type Synthesized } from './synthesize.ts';

let synthesized: Synthesized;
beforeAll(() => {
  synthesized = synthesize();
});
afterAll(() => synthesized[Symbol.dispose]());

const assetsOf = ({ outdir }: Synthesized) =>
  readdirSync(outdir)
    .filter((name) => name.startsWith('asset.'))
    .sort();
const bundlesOf = (from: Synthesized) =>
  assetsOf(from)
    .map((asset) => join(from.outdir, asset, 'index.mjs'))
    .filter((file) => readdirSync(join(file, '..')).includes('index.mjs'));

describe('bundles', () => {
  it('are one file each that needs nothing but Node', () => {
    expect(bundlesOf(synthesized)).toHaveLength(functionNames.length);
    for (const file of bundlesOf(synthesized)) {
      const { metafile } = buildSync({
        entryPoints: [file],
        bundle: true,
        write: false,
        metafile: true,
        platform: 'node',
        format: 'esm',
        packages: 'external',
        logLevel: 'error',
      });
      const imports = Object.values(metafile.outputs).flatMap((output) => output.imports.map(({ path }) => path));
      expect(
        imports.filter((path) => !isBuiltin(path)),
        file,
      ).toEqual([]);
    }
  });

  it('export a handler, and say where their source map is', () => {
    for (const file of bundlesOf(synthesized)) {
      expect(readFileSync(file, 'utf8'), file).toMatch(/export\{[^}]*\bas handler\b[^}]*\};\n/);
      expect(readFileSync(file, 'utf8').trimEnd(), file).toMatch(/\/\/# sourceMappingURL=index\.mjs\.map$/);
    }
  });

  it('are the same for the same sources wherever they are made, so that a deployment without changes changes nothing', () => {
    using again = synthesize();

    expect(assetsOf(again)).toEqual(assetsOf(synthesized));
    for (const file of bundlesOf(synthesized)) {
      const { sources } = JSON.parse(readFileSync(`${file}.map`, 'utf8')) as { sources: string[] };
      for (const source of sources) expect(source).toMatch(/^\.\.\/\.\.\/.*\.[cm]?[jt]s(on)?$/);
    }
  });
});

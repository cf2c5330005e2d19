import { createHash } from 'node:crypto';
import { cpSync, globSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AssetHashType } from 'aws-cdk-lib';
import { type AssetCode, Code, Runtime } from 'aws-cdk-lib/aws-lambda';
import { buildSync } from 'esbuild';
import { cached } from './bundle-cache.ts';

const root = resolve(import.meta.dirname, '../..');
const bundleCache = join(root, 'node_modules/.cache/tenantry/bundles');

/** Some packages are CommonJS and call `require`, which ES modules lack. */
const requireBanner = `import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);`;

export interface BundleOptions {
  /** Folders of the repository that are put beside `index.mjs`, under their own name. @default none */
  readonly folders?: readonly string[];
}

/**
 * The code of `functions/<name>/handler.ts` as one minified ES module `index.mjs`.
 * Everything is bundled, the AWS SDK too, so that what was tested is what runs.
 */
export function bundledCode(name: string, options: BundleOptions = {}): AssetCode {
  return Code.fromAsset(join(root, 'functions', name), {
    // By output: a function is deployed anew when what it runs changed, and only then.
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      image: Runtime.NODEJS_24_X.bundlingImage,
      local: {
        tryBundle(outputFolder) {
          cpSync(bundle(name), outputFolder, { recursive: true });
          for (const folder of options.folders ?? []) {
            cpSync(join(root, folder), join(outputFolder, folder), { recursive: true });
          }
          return true;
        },
      },
    },
  });
}

/** Bundles `functions/<name>` unless it was done for the same sources before, and returns the folder of `index.mjs`. */
export function bundle(name: string): string {
  return cached(bundleCache, `${name}-${sourceHash(name)}`, (folder) => build(name, folder));
}

function build(name: string, outputFolder: string): void {
  buildSync({
    entryPoints: [join(root, 'functions', name, 'handler.ts')],
    outfile: join(outputFolder, 'index.mjs'),
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // CommonJS builds of packages that also ship ES modules cannot be tree-shaken.
    mainFields: ['module', 'main'],
    banner: { js: requireBanner },
    alias: { '@aws-sdk/credential-provider-node': join(import.meta.dirname, 'lambda-credentials.ts') },
    minify: true,
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'error',
  });
}

/** Changes with everything that a bundle is made from: its folder, what functions share, dependencies, how it is bundled. */
function sourceHash(name: string): string {
  const hash = createHash('sha256');
  const patterns = [`functions/${name}/**`, 'shared/**', 'package-lock.json', 'lib/bundling/*'];
  const files = globSync(patterns, { cwd: root }).sort();
  for (const file of files) {
    const path = join(root, file);
    if (statSync(path).isFile()) hash.update(`${file}\0`).update(readFileSync(path)).update('\0');
  }
  return hash.digest('hex').slice(0, 32);
}

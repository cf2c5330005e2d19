import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildSync } from 'esbuild';
import { bundle } from '../lib/bundling/bundled-code.ts';
import { environmentKeys, services } from '../shared/contract/index.ts';
import { atMost, type Bench, median, type Row } from './bench.ts';

const run = promisify(execFile);
const targetKilobytes = 600;
const starts = 15;

/**
 * What a function brings with it: its size, and the time to load it in a fresh process, against a handler that only
 * imports the client of the RDS Data API.
 */
export const bench: Bench = async (progress) => {
  const scratch = await mkdtemp(join(tmpdir(), 'tenantry-cold-start-'));
  try {
    const bundles = new Map([['only RDSDataClient', await onlyTheClient(scratch)]]);
    for (const name of [...Object.keys(services), 'authorizer']) bundles.set(name, join(bundle(name), 'index.mjs'));
    progress(`starting each function ${starts} times`);
    const times = new Map([...bundles.keys()].map((name): [string, number[]] => [name, []]));
    for (let start = 0; start < starts; start += 1) {
      for (const [name, file] of bundles) times.get(name)?.push(await loadMs(file));
    }
    const rows: Row[] = [];
    for (const [name, file] of bundles) {
      rows.push({ case: `${name}: size`, value: Math.round((await stat(file)).size / 1024), unit: 'KB' });
      rows.push({ case: `${name}: load`, value: median(times.get(name) ?? []), unit: 'ms' });
    }
    const valueOf = (row: string): number => rows.find((each) => each.case === row)?.value ?? Number.NaN;
    return {
      rows,
      ratios: Object.keys(services).flatMap((name) => [
        atMost(`${name}: KB`, valueOf(`${name}: size`), targetKilobytes),
        {
          ...atMost(
            `${name}: load / only RDSDataClient`,
            valueOf(`${name}: load`) / valueOf('only RDSDataClient: load'),
            3,
          ),
        },
      ]),
    };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
};

async function onlyTheClient(folder: string): Promise<string> {
  const entry = join(folder, 'handler.ts');
  const outfile = join(folder, 'index.mjs');
  const code = `import { RDSDataClient } from '@aws-sdk/client-rds-data';
    const client = new RDSDataClient({});
    export const handler = async () => client.config.apiVersion;`;
  await writeFile(entry, code);
  const banner = `import{createRequire as r}from'node:module';const require=r(import.meta.url);`;
  buildSync({
    entryPoints: [entry],
    outfile,
    nodePaths: [join(import.meta.dirname, '../node_modules')],
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    banner: { js: banner },
    minify: true,
  });
  return outfile;
}

/** Milliseconds that a fresh process takes to load the module, the process's own start not counted. */
async function loadMs(file: string): Promise<number> {
  const code = `const start = performance.now(); await import(${JSON.stringify(file)}); process.stdout.write(String(performance.now() - start)); process.exit(0);`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], { env: environment() });
  const last = Number(stdout.split('\n').at(-1));
  if (Number.isNaN(last)) throw new Error(`Loading ${file} printed: ${stdout}`);
  return last;
}

/** As lib sets it, with nothing behind it: loading waits for no call. */
function environment(): NodeJS.ProcessEnv {
  const cluster = {
    main: { resourceArn: 'arn:aws:rds:eu-central-1:000000000000:cluster:main', secretArn: 'arn:aws:s' },
  };
  return {
    PATH: process.env['PATH'],
    AWS_REGION: 'eu-central-1',
    [environmentKeys.stage]: 'bench',
    [environmentKeys.clusters]: JSON.stringify(cluster),
    [environmentKeys.registry]: JSON.stringify({ cluster: 'main', database: 'tenantry' }),
    [environmentKeys.cacheUrl]: 'redis://127.0.0.1:1',
    [environmentKeys.signingSecretArn]: 'arn:aws:secretsmanager:eu-central-1:000000000000:secret:signing',
    [environmentKeys.issuers]: JSON.stringify([
      { issuer: 'http://127.0.0.1:1', audience: ['bench'], tenantClaim: 'tenant_id' },
    ]),
  };
}

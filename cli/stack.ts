import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { databaseRoles, mainCluster, mainDatabase } from '../shared/contract/index.ts';
import { migrationConnection } from '../shared/database/migration-connection.ts';
import type { Execute } from '../shared/database/migrator.ts';
import { databaseExists, readSilos, type Silo } from '../shared/database/silo-databases.ts';
import { CommandError } from './command-error.ts';
import { inParallel } from './in-parallel.ts';

/** Where `npm run dev` keeps its data unless told otherwise. */
export const defaultDataDir = '.local';

/** Databases that are asked at once. */
export const databasesAtOnce = 4;

const stackSchema = z.object({
  controlPlaneUrl: z.string(),
  dataApiUrl: z.string(),
  resources: z.object({
    region: z.string(),
    clusters: z.record(z.string(), z.string()),
    roleSecrets: z.object({ owner: z.string() }),
  }),
});

/** A database of a stack, and a way to run statements there as its owner. */
export interface StackDatabase {
  readonly cluster: string;
  readonly database: string;
  /** What application code logs in as. In a database that is one tenant's alone it is called as that is. */
  readonly role: string;
  readonly execute: Execute;
  /** Runs statements as the owner in another database of its cluster. */
  readonly executeIn: (database: string) => Execute;
  /** Whether it is still there: one that is a tenant's alone goes with that tenant. */
  readonly isThere: () => Promise<boolean>;
}

export const holdsRegistry = ({ cluster, database }: Pick<StackDatabase, 'cluster' | 'database'>): boolean =>
  cluster === mainCluster && database === mainDatabase;

/**
 * The databases of the stack whose data lie in a folder, those that tenants share first, reached as functions reach them: through the Data
 * API, with a login that the secret store knows.
 *
 * @throws CommandError when no stack runs there
 */
export async function databasesOf(dataDir: string): Promise<readonly StackDatabase[]> {
  const { dataApiUrl, resources } = await readStack(dataDir);
  // Where the SDK looks; a login of AWS that is there already is left alone.
  process.env['AWS_ENDPOINT_URL_RDS_DATA'] = dataApiUrl;
  process.env['AWS_REGION'] = resources.region;
  process.env['AWS_ACCESS_KEY_ID'] ??= 'local';
  process.env['AWS_SECRET_ACCESS_KEY'] ??= 'local';
  const connect = (cluster: string, database: string): Execute => {
    const resourceArn = resources.clusters[cluster] ?? '';
    const execute = migrationConnection({ resourceArn, secretArn: resources.roleSecrets.owner, database });
    return (sql, parameters) =>
      execute(sql, parameters).catch((error: unknown) => fail(error, `${database} on ${cluster}`, dataApiUrl, dataDir));
  };
  const open = (cluster: string, database: string, role: string): StackDatabase => ({
    cluster,
    database,
    role,
    execute: connect(cluster, database),
    executeIn: (other) => connect(cluster, other),
    isThere: () => databaseExists(connect(cluster, mainDatabase), database),
  });
  const shared = Object.keys(resources.clusters).map((cluster) => open(cluster, mainDatabase, databaseRoles.app));
  const registered = await readAllSilos(connect(mainCluster, mainDatabase));
  const silos = registered.map((silo) => ({ ...silo, ...open(silo.cluster, silo.database, silo.database) }));
  const areThere = await inParallel(
    databasesAtOnce,
    silos,
    async ({ cluster, isThere }) => Object.hasOwn(resources.clusters, cluster) && isThere(),
  );
  sayLeftOut(silos.filter((_, index) => !areThere[index]));
  return [...shared, ...silos.filter((_, index) => areThere[index])];
}

/** Databases that should be there and are not. One that is being made or dropped need not be. */
function sayLeftOut(silos: readonly Pick<Silo, 'tenantId' | 'cluster' | 'database' | 'state'>[]): void {
  for (const { tenantId, cluster, database } of silos.filter(
    ({ state }) => state === 'active' || state === 'suspended',
  ))
    console.error(
      `Left out: there is no database ${database} on ${cluster}. Restore it, or offboard its tenant: tenant delete ${tenantId} --no-export.`,
    );
}

async function readAllSilos(registry: Execute): Promise<readonly Silo[]> {
  const silos: Silo[] = [];
  for (;;) {
    const page = await readSilos(registry, silos.at(-1)?.tenantId ?? '', 200);
    if (page.length === 0) return silos;
    silos.push(...page);
  }
}

/**
 * What the stack whose data lie in a folder says of itself.
 *
 * @throws CommandError when no stack runs there
 */
export async function readStack(dataDir: string): Promise<z.infer<typeof stackSchema>> {
  const file = join(resolve(dataDir), 'stack.json');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new CommandError(
      reason === 'ENOENT'
        ? `No stack is running in ${resolve(dataDir)}. Start one with "npm run dev", or name its folder with --data DIR.`
        : `${file} cannot be read (${reason}). Name the folder of a running stack with --data DIR.`,
    );
  }
  const stack = stackSchema.safeParse(parseJson(text));
  if (!stack.success) throw new CommandError(`${file} does not describe a stack. Start it anew with "npm run dev".`);
  return stack.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A stack that was killed leaves its file behind. */
export function noAnswer(url: string, dataDir: string): CommandError {
  return new CommandError(
    `The stack of ${resolve(dataDir)} does not answer at ${url}. Start it again with "npm run dev".`,
  );
}

function fail(error: unknown, database: string, dataApiUrl: string, dataDir: string): never {
  if (error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED') throw noAnswer(dataApiUrl, dataDir);
  if (error instanceof Error && error.name === 'DatabaseErrorException') {
    throw new CommandError(`The database ${database} refused: ${error.message}`);
  }
  throw error;
}

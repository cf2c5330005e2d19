import { once } from 'node:events';
import { Cluster } from 'ioredis';
import { type CacheClient, createClient } from './client.ts';
import { type CacheEndpoint, parseCacheUrl } from './endpoint.ts';
import { type IsOver, sendInTime } from './in-time.ts';
import { type CacheCredentials, keepLogin } from './login.ts';
import { createOwed } from './owed.ts';

export type { CacheClient } from './client.ts';
export type { CacheCredentials } from './login.ts';

export interface CacheConnectionOptions {
  /** Time in which a command must be answered, connecting included. @default 50 */
  readonly timeoutMs?: number;
  /** Told of failures, once a minute at most. @default console.warn */
  readonly warn?: (message: string, error: unknown) => void;
  /** The login of connections to come. Asked before each command, or when the last one is to be renewed. @default what the URL says */
  readonly credentials?: () => Promise<CacheCredentials>;
}

export interface RunOptions {
  /**
   * For what costs more than a wait if it is lost, and does no harm if it is late, or done twice: it is sent also while others fail at once, on a
   * connection that is open without waiting for the answer, and with the usual wait on one that has never been open yet; and also when the wait
   * is over before it could be. What could not be done is sent again, see `createOwed`, ahead of what comes next. @default false
   */
  readonly always?: boolean;
}

/** A connection that opens with its first use if not before, gives up early and comes back by itself. */
export interface CacheConnection {
  /** For defining scripts. Commands go through `run`, which bounds them in time. */
  readonly client: CacheClient;
  /**
   * Begins to open it, so that the first command finds it open. Nobody waits, and nothing is thrown: who cannot be reached is reported as
   * always, and asked again by the first command.
   */
  open(): void;
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

/** The connection of this process to the cache at `url`, the same one at every call. It is not opened by that. */
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
  const client = createClient(endpoint, timeoutMs);
  const begin = sendInTime(client);
  const credentials = options.credentials ?? iamCredentials(endpoint);
  const login = credentials && keepLogin(client, credentials);
  const report = failureReporter(endpoint, options.warn);
  let lastError: unknown;
  client.on('error', (error) => report((lastError = error)));
  client.on('node error', (error: unknown) => report((lastError = error)));

  const owed = createOwed();
  let pausedUntil = 0;
  let hasOpened = false;
  client.on('ready', () => {
    pausedUntil = 0;
    hasOpened = true;
    lastError = undefined;
  });
  let opening: Promise<unknown> | undefined;
  const isReady = (): boolean => client.status === 'ready' && (login?.isCurrent() ?? true);
  const untilReady = async (): Promise<void> => {
    await login?.renew();
    if (client.status === 'ready') return;
    // Between two attempts there is nothing to wait for.
    if (client.status === 'reconnecting' || client.status === 'end')
      throw lastError instanceof Error ? lastError : new Error('Not connected.');
    if (client.status === 'wait') client.connect().catch(() => undefined);
    // Shared, so that waiting requests do not add up to a heap of listeners. Rejects on 'error'.
    opening ??= once(client, 'ready').finally(() => (opening = undefined));
    await opening;
  };
  const send = async <T>(work: (client: CacheClient) => Promise<T>, isOver: IsOver): Promise<T> => {
    // Not a moment later if there is nothing to wait for: what is asked in one go shares a round trip.
    if (!isReady()) await untilReady();
    if (isOver()) throw new TimeoutError();
    owed.settle(async (earlier) => begin(() => earlier(client), never));
    return begin(() => work(client), isOver);
  };
  const sendSurely = <T>(work: (client: CacheClient) => Promise<T>): Promise<T> => {
    const sent = send(work, never);
    sent.catch(() => owed.add(work));
    return sent;
  };
  const open = async (): Promise<void> => {
    await untilReady();
    const nodes = client instanceof Cluster ? client.nodes('master') : [];
    await Promise.all(nodes.filter(({ status }) => status === 'wait').map((node) => node.connect()));
  };
  return {
    client,
    open: () => void open().catch(report),
    run: async (work, { always = false } = {}) => {
      if (Date.now() < pausedUntil && (!always || hasOpened)) {
        if (always && client.status === 'ready') sendSurely(work).catch(() => undefined);
        else if (always) owed.add(work);
        throw unavailable(endpoint);
      }
      try {
        return await within(timeoutMs, (isOver) => (always ? sendSurely(work) : send(work, isOver)));
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

const never: IsOver = () => false;

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

function within<T>(timeoutMs: number, work: (isOver: IsOver) => Promise<T>): Promise<T> {
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

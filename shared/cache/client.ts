import { Cluster, Redis } from 'ioredis';
import type { CacheEndpoint } from './endpoint.ts';

export type CacheClient = Redis | Cluster;

/** In which a peer that is alive has sent something. */
const aliveMs = 500;

/**
 * A client that opens with its first use, whose commands fail rather than wait for a connection.
 *
 * @param timeoutMs time in which a command must be answered
 */
export function createClient(endpoint: CacheEndpoint, timeoutMs: number): CacheClient {
  const { host, port, username, password } = endpoint;
  const options = {
    ...(endpoint.tls && { tls: {} }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    // No handshake beyond the login: each round trip counts against the first request of a cold start.
    protocol: 2 as const,
    enableReadyCheck: false,
    disableClientInfo: true,
    connectTimeout: 1_000,
    // A peer that went away without a word while the function was frozen. Commands are bounded by `run` instead of
    // `commandTimeout`, which would also cut off the login on a slow start.
    socketTimeout: Math.max(aliveMs, timeoutMs),
    // Whoever sent a command has gone on without the answer.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // A replica where the primary used to be: connect again, to whom the name points to now.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  };
  const retryStrategy = (attempt: number): number => Math.min(25 * 2 ** attempt, 1_000) + Math.random() * 50;
  if (!endpoint.cluster) {
    return new Redis({ ...options, host, port, retryStrategy, lazyConnect: true, enableOfflineQueue: false });
  }
  return new Cluster([{ host, port }], {
    redisOptions: options,
    clusterRetryStrategy: retryStrategy,
    lazyConnect: true,
    // Each node holds commands back until it is logged in, for as long as anybody waits; without this, until the first one of them has come.
    enableOfflineQueue: true,
    enableReadyCheck: false,
    maxRedirections: 8,
    retryDelayOnFailover: 20,
    // While a slot moves, a script whose keys are in two places is to be asked again: for as long as anybody waits.
    retryDelayOnTryAgain: 5,
    // Certificates name hosts, so host names must not be turned into addresses.
    dnsLookup: (address, callback) => callback(null, address),
  });
}

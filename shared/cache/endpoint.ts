/** Where the cache is and how to speak to it. */
export interface CacheEndpoint {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** Cluster mode, which ElastiCache Serverless always has. */
  readonly cluster: boolean;
  readonly username?: string;
  readonly password?: string;
  /** Logs in with short-lived tokens of the function's own AWS identity instead of a password. */
  readonly iam?: IamLogin;
}

export interface IamLogin {
  /** Name of the ElastiCache Serverless cache, not its host name. */
  readonly cacheName: string;
  /** ElastiCache user whose authentication mode is `iam`. */
  readonly user: string;
  readonly region: string;
}

/**
 * Reads `redis[s]://[user:password@]host[:port][?cluster=true][&iam=<cacheName>&user=<user>&region=<region>]`.
 *
 * @throws TypeError that names the part which is wrong; never with the password in it
 */
export function parseCacheUrl(text: string | URL): CacheEndpoint {
  const url = URL.canParse(String(text)) ? new URL(text) : undefined;
  if (url?.protocol !== 'redis:' && url?.protocol !== 'rediss:') {
    throw new TypeError('The cache URL must be redis://host:port or rediss://host:port.');
  }
  if (url.hostname === '') throw new TypeError('The cache URL names no host.');
  if (!['', '/', '/0'].includes(url.pathname))
    throw new TypeError('The cache URL names a database, but clusters have only database 0.');
  const cluster = url.searchParams.get('cluster') ?? 'false';
  if (cluster !== 'true' && cluster !== 'false')
    throw new TypeError('The cache URL has a cluster= that is neither true nor false.');
  const iam = iamLogin(url);
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port || 6379),
    tls: url.protocol === 'rediss:',
    cluster: cluster === 'true',
    ...(url.username && { username: decodeURIComponent(url.username) }),
    ...(url.password && { password: decodeURIComponent(url.password) }),
    ...(iam && { iam }),
  };
}

function iamLogin(url: URL): IamLogin | undefined {
  const cacheName = url.searchParams.get('iam');
  if (cacheName === null) return undefined;
  const user = url.searchParams.get('user');
  const region = url.searchParams.get('region');
  if (!cacheName || !user || !region)
    throw new TypeError('The cache URL has iam=<cacheName>, so it needs user= and region= too.');
  if (url.protocol !== 'rediss:')
    throw new TypeError('The cache URL has iam=, which works over TLS alone: use rediss://.');
  return { cacheName, user, region };
}

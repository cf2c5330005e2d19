import {
  type CacheConnection,
  createTenantCache,
  openCacheConnection,
  type TenantCache,
} from '../../shared/cache/index.ts';
import { runWithTenant } from '../../shared/tenancy/index.ts';
import { redisKinds, startTestRedis, type TestRedis } from './redis.ts';

/** Servers that tests of the cache run on. */
export const cacheServers = redisKinds.flatMap((kind) => [
  { kind, cluster: false, name: kind },
  { kind, cluster: true, name: `${kind} in cluster mode` },
]);
export type CacheServer = (typeof cacheServers)[number];

/** A server, and caches on it. */
export interface TestCache extends AsyncDisposable {
  readonly redis: TestRedis;
  readonly connection: CacheConnection;
  readonly cache: TenantCache;
  /** A cache over a connection of its own, as another process has one. */
  another(): TenantCache;
  /** A tenant that nobody has had before. */
  freshTenant(): string;
}

/** Long enough for the slowest machine. */
const timeoutMs = 10_000;

export async function startTestCache({ kind, cluster }: CacheServer): Promise<TestCache> {
  const redis = await startTestRedis(kind, { cluster });
  const open: CacheConnection[] = [];
  let tenants = 0;
  const connect = (): CacheConnection => {
    const connection = openCacheConnection(redis.url, { timeoutMs });
    open.push(connection);
    return connection;
  };
  const connection = connect();
  return {
    redis,
    connection,
    cache: createTenantCache(connection),
    another: () => createTenantCache(connect()),
    freshTenant: () => `tenant-${(tenants += 1)}`,
    [Symbol.asyncDispose]: async () => {
      for (const opened of open) opened.close();
      await redis.stop();
    },
  };
}

/** Does `work` in a request of a tenant. */
export function inTenant<T>(tenantId: string, work: () => T): T {
  const placement = { model: 'pool', cluster: 'main', database: 'tenantry', schema: 'pool' } as const;
  return runWithTenant({ tenantId, plan: 'free', placement, userId: 'u-1', roles: [], capability: '' }, work);
}

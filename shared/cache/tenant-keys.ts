import { Cluster, type Redis } from 'ioredis';
import { type CacheConnection, openCacheConnection } from './connection.ts';

/** Keys that the server looks at in one go. */
const scanCount = 1_000;
/** A go takes milliseconds, but nobody is waiting for a page. */
const timeoutMs = 5_000;

/** A connection for going through keys, which takes longer than requests wait for. */
export const keysConnection = (url: string | URL): CacheConnection => openCacheConnection(url, { timeoutMs });

export interface KeysFound {
  readonly keys: number;
  /** Whether all keys were looked at, in the time that there was. */
  readonly done: boolean;
}

/** What every key of a tenant begins with. The braces keep them in one slot of a cluster. */
const patternOf = (tenantId: string): string => `t:{${tenantId}}:*`;

/**
 * Deletes every key of a tenant: cached answers and buckets of the limiter alike.
 *
 * @param deadline milliseconds since the epoch, after which no further keys are looked at
 * @throws CacheUnavailableError
 */
export async function purgeTenantKeys(
  connection: CacheConnection,
  tenantId: string,
  deadline: number,
): Promise<KeysFound> {
  let keys = 0;
  // Until there are none: a server may pass keys over while others go.
  for (;;) {
    const pass = await forTenantKeys(connection, tenantId, deadline, (node, found) => node.unlink(...found));
    keys += pass.keys;
    if (!pass.done || pass.keys === 0) return { keys, done: pass.done };
  }
}

/** Counts a tenant's keys; one that changes place meanwhile may count twice. @throws CacheUnavailableError */
export function countTenantKeys(connection: CacheConnection, tenantId: string, deadline: number): Promise<KeysFound> {
  return forTenantKeys(connection, tenantId, deadline, () => Promise.resolve());
}

async function forTenantKeys(
  connection: CacheConnection,
  tenantId: string,
  deadline: number,
  work: (node: Redis, keys: readonly string[]) => Promise<unknown>,
): Promise<KeysFound> {
  let found = 0;
  // Connects, so that a cluster knows its nodes.
  await connection.run((client) => client.exists(patternOf(tenantId)));
  const { client } = connection;
  for (const node of client instanceof Cluster ? client.nodes('master') : [client]) {
    let cursor = '0';
    do {
      if (Date.now() >= deadline) return { keys: found, done: false };
      const [next, keys] = await connection.run(async () => {
        const page = await node.scan(cursor, 'MATCH', patternOf(tenantId), 'COUNT', scanCount);
        if (page[1].length > 0) await work(node, page[1]);
        return page;
      });
      found += keys.length;
      cursor = next;
    } while (cursor !== '0');
  }
  return { keys: found, done: true };
}

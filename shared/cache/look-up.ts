import { recordCacheUse } from '../metrics/index.ts';
import type { CacheConnection } from './connection.ts';
import { entriesOn } from './entries.ts';
import type { CacheNamespace } from './namespace.ts';
import { decodePayload } from './payload.ts';

/**
 * A look-up of something about a tenant before there is a current one. What it finds is kept in that tenant's cache, and void by all that makes the
 * tenant's values void. What is not there is looked up each time: names are anybody's to make up, and leave nothing behind.
 *
 * @param lookUp its tenant ids are well-formed
 */
export function cachedLookUp<T>(
  connection: CacheConnection,
  namespace: CacheNamespace<T>,
  lookUp: (tenantId: string) => Promise<T | undefined>,
): (tenantId: string) => Promise<T | undefined> {
  const entries = entriesOn(connection);
  return async (tenantId) => {
    const name = { tenantId, namespace, key: 'current' };
    const seen = await entries.look(name);
    const kept = seen && decodePayload(seen.payload, namespace.schema);
    recordCacheUse(kept ? 'hit' : 'miss');
    if (kept) return kept.value;
    const found = await lookUp(tenantId);
    // Under the generation in which it was looked up: what was made void meanwhile is not stored.
    if (seen && found !== undefined) await entries.store(name, found, { token: '', generation: seen.generation });
    return found;
  };
}

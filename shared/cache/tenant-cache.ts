import { recordCacheUse } from '../metrics/index.ts';
import { currentTenant } from '../tenancy/index.ts';
import type { CacheConnection } from './connection.ts';
import { type EntryName, entriesOn } from './entries.ts';
import type { CacheNamespace } from './namespace.ts';
import { decodePayload } from './payload.ts';
import { remember } from './remember.ts';
import type { Look } from './scripts.ts';

/** A look at an entry that was begun ahead. */
export type Peek = Promise<Look | undefined>;

/**
 * The cache of the current tenant. What one tenant stores no other one reads: each key begins with the tenant of the request, which is not a
 * parameter. While Redis is away everything is a miss, and nothing throws for it.
 *
 * Values are what JSON makes of them, in the shape of their namespace.
 */
export interface TenantCache {
  /** A value that is good, or undefined. */
  get<T>(namespace: CacheNamespace<T>, key: string): Promise<T | undefined>;
  /** Stores a value, over whatever is there. `remember` is better for what was read somewhere: it notices when that is changed meanwhile. */
  set<T>(namespace: CacheNamespace<T>, key: string, value: T): Promise<void>;
  /**
   * The value that is there, or else what `load` gives. Of all callers, in all processes, one loads, and one more after each second without a value:
   * the others wait, for five seconds at most, or are given the value before, for as long as the namespace's `staleSeconds`. What is made invalid
   * while it is loaded is not stored.
   *
   * @param peek what `peek` gave for the same namespace and key
   * @throws whatever `load` throws; nothing is stored then
   * @example const page = await cache.remember(prices, 'today', () => selectPrices());
   */
  remember<T>(namespace: CacheNamespace<T>, key: string, load: () => Promise<T>, peek?: Peek): Promise<T>;
  /** Looks at an entry, for `remember` to go on with: so that it can share a round trip with something else. Never rejects. */
  peek(namespace: CacheNamespace<unknown>, key: string): Peek;
  delete(namespace: CacheNamespace<unknown>, key: string): Promise<void>;
  /** Makes all values of a namespace invalid, in one round trip however many they are. */
  invalidate(namespace: Pick<CacheNamespace<unknown>, 'name'>): Promise<void>;
  /** Makes all values of the tenant invalid, in one round trip however many they are. */
  invalidateTenant(): Promise<void>;
}

export function createTenantCache(connection: CacheConnection): TenantCache {
  const entries = entriesOn(connection);
  const nameOf = (namespace: CacheNamespace<unknown>, key: string): EntryName => {
    return { tenantId: currentTenant().tenantId, namespace, key };
  };
  return {
    get: async (namespace, key) => {
      const seen = await entries.look(nameOf(namespace, key));
      const found = seen && decodePayload(seen.payload, namespace.schema);
      recordCacheUse(found ? 'hit' : 'miss');
      return found?.value;
    },
    set: (namespace, key, value) => entries.store(nameOf(namespace, key), value),
    // The schema of the namespace has said what it is.
    remember: <T>(namespace: CacheNamespace<T>, key: string, load: () => Promise<T>, peek?: Peek) =>
      remember(entries, nameOf(namespace, key), load, peek) as Promise<T>,
    peek: (namespace, key) => entries.look(nameOf(namespace, key)),
    delete: (namespace, key) => entries.delete(nameOf(namespace, key)),
    invalidate: ({ name }) => entries.renew(currentTenant().tenantId, name),
    invalidateTenant: () => entries.renew(currentTenant().tenantId, 'tenant'),
  };
}

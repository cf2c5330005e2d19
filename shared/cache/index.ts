export {
  type CacheClient,
  type CacheConnection,
  cacheConnection,
  type CacheConnectionOptions,
  type CacheCredentials,
  CacheUnavailableError,
  openCacheConnection,
} from './connection.ts';
export { invalidateTenantCache } from './invalidate.ts';
export { cachedLookUp } from './look-up.ts';
export { cacheNamespace, type CacheNamespace } from './namespace.ts';
export { createTenantCache, type Peek, type TenantCache } from './tenant-cache.ts';
export { countTenantKeys, keysConnection, type KeysFound, purgeTenantKeys } from './tenant-keys.ts';

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
export { countTenantKeys, keysConnection, type KeysFound, purgeTenantKeys } from './tenant-keys.ts';

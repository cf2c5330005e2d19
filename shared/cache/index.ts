export {
  type CacheClient,
  type CacheConnection,
  cacheConnection,
  type CacheConnectionOptions,
  type CacheCredentials,
  CacheUnavailableError,
  openCacheConnection,
} from './connection.ts';

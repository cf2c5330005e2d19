/** Names of answers that are cached, so that those who write can name what they make invalid. */
export type CachedAnswerName = 'project-pages';

/**
 * What the application's cache user may do: what limits and cache are made of, with tenants' keys. SCAN is what a tenant who leaves is
 * purged by. Nothing that touches the server, its scripts or its users, and nothing that lists keys otherwise.
 */
export const cacheAccessString = [
  'on ~t:* -@all +@connection -client +client|setname +client|id +cluster|slots +cluster|shards +cluster|nodes +readonly',
  '+eval +evalsha +get +set +del +unlink +exists +scan +time +hget +hmget +hset +pexpire +pttl +zadd +zrem +zcount +zremrangebyscore',
].join(' ');

/** Names of answers that are cached, so that those who write can name what they make invalid. */
export type CachedAnswerName = 'project-pages';

/**
 * What the application's cache user may do: read and write keys and run scripts, nothing that touches the server or lists keys.
 * TIME is in none of those categories; scripts that limit rates read the server's clock with it.
 */
export const cacheAccessString =
  'on ~* -@all +@read +@write +@scripting +@connection +@transaction +cluster -@dangerous +time';

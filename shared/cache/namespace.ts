import type * as z from 'zod';

/** A kind of values in the tenants' caches. */
export interface CacheNamespace<T> {
  readonly name: string;
  /** Holds each value that is read: one of another shape, written by another version of the code, is as good as none. */
  readonly schema: z.ZodType<T>;
  /** How long a value is good. */
  readonly ttlSeconds: number;
  /** How long after that it is still handed out while one caller loads a new one. */
  readonly staleSeconds: number;
}

/** Generations are kept for longer, so that no value outlives them. */
const mostSeconds = 24 * 3_600;

/**
 * Declares a kind of values.
 *
 * @param options `schema` must take what JSON makes of a value; `ttlSeconds` and `staleSeconds` (default 0) are a day together at most
 * @throws RangeError for a name that is not lower-case words with hyphens, or for times out of range
 * @example const prices = cacheNamespace('prices', { schema: z.array(price), ttlSeconds: 60, staleSeconds: 300 });
 */
export function cacheNamespace<T>(
  name: string,
  options: { readonly schema: z.ZodType<T>; readonly ttlSeconds: number; readonly staleSeconds?: number },
): CacheNamespace<T> {
  const { schema, ttlSeconds, staleSeconds = 0 } = options;
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(name) || name === 'tenant') {
    throw new RangeError(
      `"${name}" is no name of a namespace: lower-case letters, digits and hyphens, and not "tenant".`,
    );
  }
  if (!(ttlSeconds > 0 && staleSeconds >= 0 && ttlSeconds + staleSeconds <= mostSeconds)) {
    throw new RangeError(`The namespace "${name}" keeps values for a day at most, and for more than no time.`);
  }
  return { name, schema, ttlSeconds, staleSeconds };
}

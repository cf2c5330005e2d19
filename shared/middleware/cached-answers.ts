import { cacheNamespace, type CacheNamespace, type TenantCache } from '../cache/index.ts';
import type { CachedAnswerName } from '../contract/index.ts';
import { AppError } from '../errors/index.ts';
import type { RouteDescription, RouteDescriptions } from '../http/index.ts';
import { capabilityClaims, currentTenant } from '../tenancy/index.ts';
import type { ApiEvent, ApiMiddleware } from './api-event.ts';

export interface CachedAnswers {
  /** Begins to look into the cache. Comes right before `rateLimit`, whose round trip it shares. */
  readonly begin: ApiMiddleware;
  /** What a route answers: from the cache where it is described as cached, and with the cache invalidated where it writes. */
  readonly around: (event: ApiEvent, load: () => Promise<unknown>) => Promise<unknown>;
}

/** @throws TypeError for a route that cannot be cached as it is described */
export function cachedAnswers(routes: RouteDescriptions, cache: TenantCache): CachedAnswers {
  const descriptions = new Map(Object.entries(routes) as [string, RouteDescription][]);
  const namespaces = new Map([...descriptions].flatMap(([route, description]) => namespaceOf(route, description)));
  return {
    begin: {
      before: ({ event }) => {
        const namespace = namespaces.get(event.route ?? '');
        if (namespace && mayBeCached()) event.cached = cache.peek(namespace, keyOf(event));
      },
    },
    around: async (event, load) => {
      const namespace = namespaces.get(event.route ?? '');
      if (namespace && event.cached) return await cache.remember(namespace, keyOf(event), load, event.cached);
      const stale = descriptions.get(event.route ?? '')?.invalidates;
      return stale ? await invalidating(cache, stale, load) : await load();
    },
  };
}

function namespaceOf(route: string, { cached, response }: RouteDescription): [string, CacheNamespace<unknown>][] {
  if (!cached) return [];
  if (!route.startsWith('GET ') || !response)
    throw new TypeError(`${route} cannot be cached: it is no GET, or has no body.`);
  return [[route, cacheNamespace(cached.as, { schema: response, ttlSeconds: cached.seconds })]];
}

/**
 * Answers are cached for a tenant, and the database is what holds the proof of the tenant against its time: without it, we do.
 *
 * @throws AppError internal when the proof is of another tenant, so that nothing of one is stored for the other
 */
function mayBeCached(): boolean {
  const { tenantId, capability } = currentTenant();
  const claims = capabilityClaims(capability);
  if (claims.tenantId !== tenantId) throw new AppError('internal', 'The capability is that of another tenant.');
  return claims.expiresAt * 1_000 > Date.now();
}

/** All that an answer depends on, besides the tenant and the route. */
function keyOf({ pathParameters, multiValueQueryStringParameters }: ApiEvent): string {
  return JSON.stringify([sorted(pathParameters), sorted(multiValueQueryStringParameters)]);
}

const sorted = (fields: object | null) => Object.entries(fields ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));

async function invalidating(
  cache: TenantCache,
  names: readonly CachedAnswerName[],
  write: () => Promise<unknown>,
): Promise<unknown> {
  let hasChangedNothing = false;
  try {
    return await write();
  } catch (error) {
    // What was refused has not happened. Of what failed nobody knows.
    hasChangedNothing = error instanceof AppError && error.status < 500;
    throw error;
  } finally {
    if (!hasChangedNothing) await Promise.all(names.map((name) => cache.invalidate({ name })));
  }
}

import { cacheNamespace, type CacheNamespace, type TenantCache } from '../cache/index.ts';
import { AppError } from '../errors/index.ts';
import type { RouteDescription, RouteDescriptions } from '../http/index.ts';
import { currentRequestRecord, type DatabaseOperation } from '../metrics/index.ts';
import { capabilityClaims, currentTenant } from '../tenancy/index.ts';
import type { ApiEvent, ApiMiddleware } from './api-event.ts';

export interface CachedAnswers {
  /** Says where to look into the cache. Comes before `rateLimit`, which does it in its own round trip. */
  readonly begin: ApiMiddleware;
  /** What a route answers: from the cache where it is described as cached. */
  readonly around: (event: ApiEvent, load: () => Promise<unknown>) => Promise<unknown>;
  /** Makes invalid what the route has made out of date, before it is answered, whatever the answer. Comes last. */
  readonly invalidation: ApiMiddleware;
}

/** @throws TypeError for a route that cannot be cached as it is described */
export function cachedAnswers(routes: RouteDescriptions, cache: TenantCache): CachedAnswers {
  const descriptions = new Map(Object.entries(routes) as [string, RouteDescription][]);
  const namespaces = new Map([...descriptions].flatMap(([route, description]) => namespaceOf(route, description)));
  return {
    begin: {
      before: ({ event }) => {
        const namespace = namespaces.get(event.route ?? '');
        if (namespace && mayBeCached()) event.lookUp = () => cache.peek(namespace, keyOf(event));
      },
    },
    around: async (event, load) => {
      const namespace = namespaces.get(event.route ?? '');
      if (!namespace || !event.cached) return await load();
      // What is left to do is to store the answer: that, and giving back what the request holds, share a round trip.
      const work = () => load().finally(() => void event.releaseLimits?.());
      return await cache.remember(namespace, keyOf(event), work, event.cached);
    },
    invalidation: invalidation(descriptions, cache),
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

/** All that an answer depends on, besides the tenant. Routes may share a name, but never answers. */
function keyOf({ route, pathParameters, multiValueQueryStringParameters }: ApiEvent): string {
  return JSON.stringify([route, sorted(pathParameters), sorted(multiValueQueryStringParameters)]);
}

const sorted = (fields: object | null) => Object.entries(fields ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));

function invalidation(descriptions: ReadonlyMap<string, RouteDescription>, cache: TenantCache): ApiMiddleware {
  const invalidate = async ({ route = '' }: ApiEvent): Promise<void> => {
    const names = descriptions.get(route)?.invalidates ?? [];
    await Promise.all(names.map((name) => cache.invalidate({ name })));
  };
  return {
    before: ({ event }) => void (event.isHandled = true),
    // Also for an answer of an earlier attempt, which may not have come so far.
    after: ({ event }) => invalidate(event),
    onError: async ({ event, error }) => {
      if (event.isHandled && (mayHaveWritten() || !isRefusal(error))) await invalidate(event);
    },
  };
}

/** Of what failed nobody knows what it has done. */
const isRefusal = (error: unknown): boolean => error instanceof AppError && error.status < 500;

const reading: ReadonlySet<DatabaseOperation> = new Set(['select', 'begin', 'rollback']);

/** What a request was refused for in the end may have come after a write. */
function mayHaveWritten(): boolean {
  const asked = currentRequestRecord()?.databaseQueries.keys() ?? [];
  return [...asked].some((operation) => !reading.has(operation));
}

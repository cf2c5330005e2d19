import { cacheConnection, type CacheConnection, createTenantCache, type TenantCache } from '../cache/index.ts';
import { loadConfig } from '../config/index.ts';
import { rollbackMs, sharePlacements, withDeadline } from '../database/index.ts';
import { type ApiDescription, defaultMaxBodyBytes, type Handlers, type RouteDescriptions } from '../http/index.ts';
import { createRateLimiter, type RateLimiter } from '../rate-limit/index.ts';
import { fromAuthorizer, type TenantResolver } from '../tenancy/index.ts';
import { answering } from './answering.ts';
import { answerOnce } from './idempotency/answer-once.ts';
import { cachedAnswers } from './cached-answers.ts';
import { rateLimit } from './rate-limit.ts';
import { type ApiHandler, reserveMs, serve } from './serve.ts';
import { placementsIn } from './shared-placements.ts';
import { tenantContext } from './tenant-context.ts';
import { validation } from './validation.ts';

export interface TenantApiOptions {
  /** Where the tenant is taken from. @default the authorizer's context */
  readonly resolveTenant?: TenantResolver;
  /** Counts requests against the tenant's plan. @default in the stage's cache */
  readonly limiter?: RateLimiter;
  /** Holds answers of routes that are described as cached. @default the stage's cache */
  readonly cache?: TenantCache;
  /** Bytes that a request's body may have. @default 256 KiB */
  readonly maxBodyBytes?: number;
}

/**
 * Makes a Lambda function of a described API and its handlers:
 * metrics ▸ problem details ▸ routing ▸ tenant context ▸ look into the cache ▸ rate limit ▸ validation ▸ handler.
 *
 * @example export const handler = tenantApi(projectsApi, { 'GET /projects': ({ query }) => listProjects(query), … });
 */
export function tenantApi<Routes extends RouteDescriptions>(
  api: ApiDescription<Routes>,
  handlers: Handlers<Routes>,
  options: TenantApiOptions = {},
): ApiHandler {
  const { resolveTenant = fromAuthorizer(loadConfig('baseDomains')), maxBodyBytes = defaultMaxBodyBytes } = options;
  const limiter = options.limiter ?? limiterOfTheStage();
  const cache = options.cache ?? createTenantCache(connectionOfTheStage());
  const cached = cachedAnswers(api.routes, cache);
  sharePlacements(placementsIn(cache));
  const handler = serve(
    api,
    [
      tenantContext(resolveTenant),
      cached.begin,
      rateLimit(limiter, api.routes),
      validation(api.routes, maxBodyBytes),
      cached.invalidation,
    ],
    answering(api.routes, handlers, { answerOnce, around: cached.around }),
  );
  return (event, context) => {
    const deadline = Date.now() + context.getRemainingTimeInMillis() - reserveMs - rollbackMs;
    return withDeadline(deadline, () => handler(event, context));
  };
}

/** Opens while the function starts, which takes longer than a request waits for it. */
function connectionOfTheStage(): CacheConnection {
  const connection = cacheConnection(loadConfig('cacheUrl').cacheUrl);
  connection.open();
  return connection;
}

function limiterOfTheStage(): RateLimiter {
  const { limitsWhenUnavailable: whenUnavailable } = loadConfig('limitsWhenUnavailable');
  return createRateLimiter({ connection: connectionOfTheStage(), whenUnavailable });
}

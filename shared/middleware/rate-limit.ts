import type { Context } from 'aws-lambda';
import { AppError } from '../errors/index.ts';
import type { RouteDescription, RouteDescriptions } from '../http/index.ts';
import { currentRequestRecord } from '../metrics/index.ts';
import {
  type GrantedLimits,
  limitsFor,
  type RateLimitDecision,
  rateLimitHeaders,
  type RateLimiter,
} from '../rate-limit/index.ts';
import { currentTenant, type TenantContext } from '../tenancy/index.ts';
import type { ApiEvent, ApiMiddleware } from './api-event.ts';

/**
 * Counts the request against what the tenant is granted, of all routes and of this one, and tells the client where it stands. Where the
 * tenant's requests at a time are limited, it holds a place until it ends. Comes after `routing` and `tenantContext`, and before
 * everything that costs: a refused request has read a key or two, and of a cached route the answer, up to 256 KiB. Both are asked for in one go, so
 * that those who are admitted wait once; the decision first, so that it does not come after the answer.
 *
 * @throws AppError rate-limited, concurrency-limited, limiter-unavailable
 */
export function rateLimit(limiter: RateLimiter, routes: RouteDescriptions): ApiMiddleware {
  const release: ApiMiddleware['after'] = ({ event }) => event.releaseLimits?.();
  return {
    before: async ({ event, context }) => {
      const tenant = currentTenant();
      const granted = limitsFor(tenant.plan, tenant.limits);
      const route = routes[event.route as keyof RouteDescriptions];
      const deciding = limiter.consume(requestOf(event, context, { tenant, granted, route }));
      const cached = event.lookUp?.();
      if (cached) event.cached = cached;
      const decision = await deciding;
      event.releaseLimits = releaseOnce(decision);
      event.responseHeaders = { ...event.responseHeaders, ...rateLimitHeaders(decision, tenant.plan) };
      const record = currentRequestRecord();
      if (record && decision.source !== 'redis') record.limiterFallbacks += 1;
      if (decision.allowed) return;
      if (record && decision.source !== 'none') record.isThrottled = true;
      throw refusalOf(decision, event, { tenant, granted, route });
    },
    after: release,
    onError: release,
  };
}

/** However often it is asked for: a request ends once, also one that fails while it ends. */
function releaseOnce(decision: RateLimitDecision): () => Promise<void> {
  let releasing: Promise<void> | undefined;
  return () => (releasing ??= decision.release());
}

/** What the request is measured by. */
interface Measure {
  readonly tenant: TenantContext;
  readonly granted: GrantedLimits;
  readonly route: RouteDescription | undefined;
}

function requestOf({ route: scope }: ApiEvent, context: Context, { tenant, granted, route }: Measure) {
  const { concurrentRequests } = granted;
  return {
    tenantId: tenant.tenantId,
    limit: granted,
    ...(route?.weight !== undefined && { weight: route.weight }),
    ...(route?.limit && scope !== undefined && { also: [{ scope, limit: route.limit }] }),
    ...(concurrentRequests !== undefined && {
      // A function that is killed before its request ends leaves no place taken for longer than it could have run.
      concurrency: { limit: concurrentRequests, leaseMs: Math.max(1, context.getRemainingTimeInMillis()) },
    }),
  };
}

function refusalOf(decision: RateLimitDecision, { route: scope }: ApiEvent, measure: Measure): AppError {
  const { tenant, granted, route } = measure;
  const { retryAfterSeconds } = decision;
  const retry = { retryAfterSeconds };
  const grants = tenant.limits ? 'The tenant is granted' : `The plan ${tenant.plan} grants`;
  if (decision.source === 'none') return new AppError('limiter-unavailable', 'The cache does not answer.', retry);
  if (decision.refusedBy === 'concurrency')
    return new AppError(
      'concurrency-limited',
      `${grants} ${granted.concurrentRequests} requests at the same time, and as many are under way. Try again when one has ended.`,
    );
  const refused = decision.limits.find((limit) => limit.retryAfterSeconds === retryAfterSeconds);
  const isOfRoute = refused?.scope === scope && route?.limit;
  const limit = isOfRoute ? route.limit : granted;
  const amount = `${limit.requestsPerMinute} requests a minute, ${limit.burst} of them at once`;
  const told = isOfRoute ? `${scope} takes ${amount}` : `${grants} ${amount}`;
  return new AppError('rate-limited', `${told}. Try again in ${retryAfterSeconds} s.`, retry);
}

import { AppError } from '../errors/index.ts';
import { currentRequestRecord } from '../metrics/index.ts';
import { limitFor, rateLimitHeaders, type RateLimiter } from '../rate-limit/index.ts';
import { currentTenant } from '../tenancy/index.ts';
import type { ApiMiddleware } from './api-event.ts';

/**
 * Counts the request against what the tenant's plan grants, and tells the client where it stands. Comes after `tenantContext`, and before
 * everything that costs: a refused request has read one key.
 *
 * @throws AppError rate-limited, limiter-unavailable
 */
export function rateLimit(limiter: RateLimiter): ApiMiddleware {
  return {
    before: async ({ event }) => {
      const { tenantId, plan } = currentTenant();
      const limit = limitFor(plan);
      const decision = await limiter.consume({ tenantId, limit });
      event.responseHeaders = { ...event.responseHeaders, ...rateLimitHeaders(decision, plan) };
      if (decision.allowed) return;
      const retry = { retryAfterSeconds: decision.retryAfterSeconds };
      if (decision.source === 'none') throw new AppError('limiter-unavailable', 'The cache does not answer.', retry);
      const record = currentRequestRecord();
      if (record) record.isThrottled = true;
      const { requestsPerMinute, burst } = limit;
      const granted = `The plan ${plan} grants ${requestsPerMinute} requests a minute, ${burst} of them at once`;
      throw new AppError('rate-limited', `${granted}. Try again in ${decision.retryAfterSeconds} s.`, retry);
    },
  };
}

export type { LimitStatus, RateLimitDecision } from './decision.ts';
export { rateLimitHeaders } from './headers.ts';
export {
  type ConcurrencyLimit,
  createRateLimiter,
  forgetUse,
  type RateLimiter,
  type RateLimiterOptions,
  type RateLimitRequest,
  type ScopedLimit,
} from './limiter.ts';
export { type GrantedLimits, limitsFor, type RateLimit } from './limits.ts';

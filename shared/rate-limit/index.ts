export { rateLimitHeaders } from './headers.ts';
export {
  createRateLimiter,
  type RateLimitDecision,
  type RateLimiter,
  type RateLimiterOptions,
  type RateLimitRequest,
} from './limiter.ts';
export { limitFor, type RateLimit } from './limits.ts';

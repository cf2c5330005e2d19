import type { RateLimitDecision } from './limiter.ts';

/**
 * Response headers that tell a client where it stands. All times are seconds from now, rounded up, so that waiting them out is enough.
 * - `X-RateLimit-Limit`, `-Remaining`, `-Reset`: requests that a full bucket holds, requests left, seconds until it is full again
 * - `RateLimit-Policy` and `RateLimit`: `q` requests in a window of `w` seconds; `r` left until more comes in `t` seconds
 * - `Retry-After` on a refusal
 *
 * Empty when nobody decided: there is nothing true to say then.
 *
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/11/
 * @param policy name of the limit, for example the plan's: visible ASCII without quotes
 */
export function rateLimitHeaders(decision: RateLimitDecision, policy: string): Record<string, string> {
  if (decision.source === 'none') return {};
  return {
    'X-RateLimit-Limit': String(decision.limit),
    'X-RateLimit-Remaining': String(decision.remaining),
    'X-RateLimit-Reset': String(decision.resetSeconds),
    'RateLimit-Policy': `"${policy}";q=${decision.limit};w=${decision.windowSeconds}`,
    RateLimit: `"${policy}";r=${decision.remaining};t=${decision.nextSeconds}`,
    ...(!decision.allowed && { 'Retry-After': String(decision.retryAfterSeconds) }),
  };
}

import type { RateLimitDecision } from './decision.ts';

/**
 * Response headers that tell a client where it stands. All times are seconds from now, rounded up, so that waiting them out is enough.
 * - `X-RateLimit-Limit`, `-Remaining`, `-Reset`: of the limit with least remaining: requests that a full bucket holds, requests left,
 *   seconds until it is full again
 * - `RateLimit-Policy` and `RateLimit`: of each limit, `q` requests in a window of `w` seconds; `r` left until more comes in `t` seconds,
 *   which is 0 when there is no more to come
 * - `Retry-After` when the rate refused it; not when too many requests are under way, as nobody knows when one of them ends
 *
 * Empty when nobody decided: there is nothing true to say then.
 *
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/11/
 * @param policy name of the limit of all requests, for example the plan's; a route's is called as the route. Visible ASCII without quotes
 */
export function rateLimitHeaders(decision: RateLimitDecision, policy: string): Record<string, string> {
  if (decision.source === 'none') return {};
  const list = (parameters: (limit: RateLimitDecision['limits'][number]) => string): string =>
    decision.limits.map((limit) => `"${limit.scope === 'all' ? policy : limit.scope}";${parameters(limit)}`).join(', ');
  return {
    'X-RateLimit-Limit': String(decision.limit),
    'X-RateLimit-Remaining': String(decision.remaining),
    'X-RateLimit-Reset': String(decision.resetSeconds),
    'RateLimit-Policy': list(({ limit, windowSeconds }) => `q=${limit};w=${windowSeconds}`),
    RateLimit: list(({ remaining, nextSeconds }) => `r=${remaining};t=${nextSeconds}`),
    ...(decision.refusedBy === 'rate' && { 'Retry-After': String(decision.retryAfterSeconds) }),
  };
}

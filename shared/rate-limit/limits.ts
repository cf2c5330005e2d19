import { type PlanName, plans, type TenantLimits } from '../contract/index.ts';

/** A token bucket: `burst` requests at once, refilled at `requestsPerMinute`. */
export interface RateLimit {
  readonly requestsPerMinute: number;
  readonly burst: number;
}

/** What a tenant is granted. */
export interface GrantedLimits extends RateLimit {
  /** Requests that may be under way at the same time. @default any number */
  readonly concurrentRequests?: number;
}

/**
 * What a plan grants each of its tenants, or less, where `overrides` say so: they never grant more than the plan. Below 1 they count
 * as 1, since a bucket that holds nothing would not limit anything; who may do nothing at all is suspended.
 */
export function limitsFor(plan: PlanName, overrides: TenantLimits = {}): GrantedLimits {
  const granted = plans[plan];
  const least = (...limits: (number | undefined)[]): number =>
    Math.max(1, Math.min(...limits.filter((limit) => limit !== undefined)));
  const concurrentRequests = least(granted.concurrentRequests, overrides.concurrentRequests);
  return {
    requestsPerMinute: least(granted.requestsPerMinute, overrides.requestsPerMinute),
    burst: least(granted.burst, overrides.burst),
    ...(Number.isFinite(concurrentRequests) && { concurrentRequests }),
  };
}

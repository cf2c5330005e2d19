import { type PlanName, plans } from '../contract/index.ts';

/** A token bucket: `burst` requests at once, refilled at `requestsPerMinute`. */
export interface RateLimit {
  readonly requestsPerMinute: number;
  readonly burst: number;
}

/** What a plan grants each of its tenants. */
export function limitFor(plan: PlanName): RateLimit {
  const { requestsPerMinute, burst } = plans[plan];
  return { requestsPerMinute, burst };
}

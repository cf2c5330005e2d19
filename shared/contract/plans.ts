import type { PlacementModel } from './placements.ts';

/**
 * What a tenant pays for. The gateway's usage plans (lib) and the exact limiter (shared/rate-limit) both read this table,
 * so the two throttles cannot disagree.
 */
export interface Plan {
  /** Sustained requests a minute, for one tenant. */
  readonly requestsPerMinute: number;
  /** Requests that may come at once on top of the sustained rate. */
  readonly burst: number;
  /**
   * Requests of one tenant that may be under way at the same time, as the exact limiter counts them. One more read and write of the cache
   * for each request, in the round trip of its rate limit, and one round trip when it ends. @default any number
   */
  readonly concurrentRequests?: number;
  /** Requests a calendar month, counted by the gateway's usage plan. */
  readonly requestsPerMonth: number;
  /**
   * Whether all tenants of the plan share one API key, where an account's 10,000 keys do not suffice. API Gateway then neither throttles nor
   * counts a single one of them: the exact limiter does the first, nobody the second. @default false
   */
  readonly sharesApiKey?: boolean;
  /** Where a new tenant of this plan is placed unless the operator says otherwise. */
  readonly placement: PlacementModel;
}

export type PlanName = 'free' | 'pro' | 'enterprise';

export const plans: Readonly<Record<PlanName, Plan>> = {
  free: { requestsPerMinute: 60, burst: 10, concurrentRequests: 10, requestsPerMonth: 10_000, placement: 'pool' },
  pro: { requestsPerMinute: 600, burst: 50, requestsPerMonth: 1_000_000, placement: 'bridge' },
  enterprise: { requestsPerMinute: 6_000, burst: 200, requestsPerMonth: 50_000_000, placement: 'silo' },
};

export const planNames = Object.keys(plans) as readonly PlanName[];

/** Plans whose tenants share one API key. */
export const sharingPlans: readonly PlanName[] = planNames.filter((name) => plans[name].sharesApiKey);

/** What the names of tenants' API keys begin with: all stages of an account and Region share one list of keys. */
export function apiKeyNamePrefix(stage: string): string {
  return `tenantry-${stage}-`;
}

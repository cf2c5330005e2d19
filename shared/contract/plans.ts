/**
 * What a tenant pays for. The gateway's usage plans (lib) and the exact limiter (shared/rate-limit) both read this table,
 * so the two throttles cannot disagree.
 */
export interface Plan {
  /** Sustained requests a minute, for one tenant. */
  readonly requestsPerMinute: number;
  /** Requests that may come at once on top of the sustained rate. */
  readonly burst: number;
  /** Requests a calendar month, counted by the gateway's usage plan. */
  readonly requestsPerMonth: number;
  /** Where a new tenant of this plan is placed unless the operator says otherwise. */
  readonly placement: PlacementModel;
}

/** How strongly a tenant's data is set apart: shared schema, schema of its own, database of its own. */
export type PlacementModel = 'pool' | 'bridge' | 'silo';

export type PlanName = 'free' | 'pro' | 'enterprise';

export const plans: Readonly<Record<PlanName, Plan>> = {
  free: { requestsPerMinute: 60, burst: 10, requestsPerMonth: 10_000, placement: 'pool' },
  pro: { requestsPerMinute: 600, burst: 50, requestsPerMonth: 1_000_000, placement: 'bridge' },
  enterprise: { requestsPerMinute: 6_000, burst: 200, requestsPerMonth: 50_000_000, placement: 'silo' },
};

export const planNames = Object.keys(plans) as readonly PlanName[];

/** What the names of tenants' API keys begin with: all stages of an account and Region share one list of keys. */
export function apiKeyNamePrefix(stage: string): string {
  return `tenantry-${stage}-`;
}

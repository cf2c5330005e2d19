/** What one tenant may do where it is less than its plan grants. What is left out is as in the plan. */
export interface TenantLimits {
  /** Sustained requests a minute. */
  readonly requestsPerMinute?: number;
  /** Requests that may come at once on top of the sustained rate. */
  readonly burst?: number;
  /** Requests that may be under way at the same time. */
  readonly concurrentRequests?: number;
}

import type { PlanName, TenantLimits } from '../contract/index.ts';
import type { Placement } from './tenant.ts';

/** What the registry knows of a tenant. */
export interface RegisteredTenant {
  readonly tenantId: string;
  readonly plan: PlanName;
  /** Null if they are the plan's. */
  readonly limits: TenantLimits | null;
  /** `active` is the only state that is served. */
  readonly state: string;
  readonly placement: Placement;
  /** The tenant's API key of the gateway, which clients never see. */
  readonly apiKey: string | null;
}

/** Looks a tenant up in the registry; undefined when there is none. */
export type FindTenant = (tenantId: string) => Promise<RegisteredTenant | undefined>;

import { AsyncLocalStorage } from 'node:async_hooks';
import type { PlanName } from '../contract/index.ts';
import type { Placement } from './tenant.ts';

/** For whom the current request acts. Frozen; made by the tenantContext middleware. */
export interface TenantContext {
  readonly tenantId: string;
  readonly plan: PlanName;
  readonly placement: Placement;
  readonly userId: string;
  readonly roles: readonly string[];
  /** Signed text that the database takes as proof of the tenant. Never log it. */
  readonly capability: string;
}

export class NoTenantContextError extends Error {
  override readonly name = 'NoTenantContextError';
  constructor() {
    super('No tenant context set. Did you forget the tenantContext middleware?');
  }
}

const storage = new AsyncLocalStorage<TenantContext>();

/**
 * Runs `work` for a tenant. Everything that `work` awaits sees the tenant, nothing outside does,
 * which is why there is no way to set a context for "from now on".
 */
export function runWithTenant<T>(context: TenantContext, work: () => T): T {
  const frozen = Object.freeze({
    ...context,
    placement: Object.freeze({ ...context.placement }),
    roles: Object.freeze([...context.roles]),
  });
  return storage.run(frozen, work);
}

/** @throws NoTenantContextError outside of a tenant's request. */
export function currentTenant(): TenantContext {
  const context = storage.getStore();
  if (!context) throw new NoTenantContextError();
  return context;
}

import {
  abandonOperation,
  type ApiKeys,
  endOperation,
  forgetTenant,
  markStep,
  placeTenant,
  readOperation,
  registerTenant,
  removePlacement,
  setTenantApiKey,
  setTenantPlan,
  setTenantState,
  startOperation,
} from '../../shared/control/index.ts';

/** The API that tenants call. */
export interface Gateway {
  /** Makes API Gateway ask the authorizer anew for every token. */
  flushAuthorizersCache(): Promise<void>;
}

/** The registry, as operations use it. */
export const registry = {
  read: readOperation,
  start: startOperation,
  mark: markStep,
  abandon: abandonOperation,
  end: endOperation,
  register: registerTenant,
  forget: forgetTenant,
  setState: setTenantState,
  setPlan: setTenantPlan,
  setApiKey: setTenantApiKey,
};

/** The databases in which tenants live. */
export const placements = { place: placeTenant, remove: removePlacement };

/** All that operations change. */
export interface Ports {
  readonly registry: typeof registry;
  readonly placements: typeof placements;
  readonly apiKeys: ApiKeys;
  readonly gateway: Gateway;
}

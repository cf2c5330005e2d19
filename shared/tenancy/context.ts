import { AsyncLocalStorage } from 'node:async_hooks';
import type { PlanName, TenantLimits } from '../contract/index.ts';
import type { Impersonation } from './impersonation.ts';
import type { Placement } from './tenant.ts';

/** For whom the current request acts. Frozen; made by a resolver, set by the tenantContext middleware. */
export interface TenantContext {
  readonly tenantId: string;
  readonly plan: PlanName;
  /** Where the tenant may do less than its plan grants. @default as the plan grants */
  readonly limits?: TenantLimits;
  readonly placement: Placement;
  readonly userId: string;
  readonly roles: readonly string[];
  /** Signed text that the database takes as proof of the tenant. Never log it. */
  readonly capability: string;
  /** Set when it is an operator who acts for the tenant. Such a context has no roles: what operators may is for the application to say. */
  readonly impersonation?: Impersonation;
}

export class NoTenantContextError extends Error {
  override readonly name = 'NoTenantContextError';
  constructor() {
    super('No tenant context set. Did you forget the tenantContext middleware?');
  }
}

/** Whoever runs the service, and asks the control plane for something. */
export interface OperatorContext {
  readonly operatorId: string;
}

/** Lives as long as one invocation. Who asks is known only once the token's context was read, so it starts empty. */
interface Scope {
  tenant?: TenantContext;
  operator?: OperatorContext;
}

const scopes = new AsyncLocalStorage<Scope>();

/**
 * Runs a whole invocation, and everything it awaits, in a scope of its own. `enterTenant` fills the scope once;
 * nothing outside of it ever sees the tenant, also when `work` throws or leaves promises behind.
 */
export function runInTenantScope<T>(work: () => T): T {
  return scopes.run({}, work);
}

/**
 * Sets the tenant of the invocation that is running.
 *
 * @throws Error outside of `runInTenantScope`, and when the invocation has a tenant or an operator already: one request, one who asks.
 */
export function enterTenant(context: TenantContext): void {
  const scope = scopes.getStore();
  if (!scope) throw new Error('There is no tenant scope to enter. Run the handler inside runInTenantScope.');
  if (scope.tenant) throw new Error('This invocation has a tenant already. Use the tenantContext middleware once.');
  if (scope.operator)
    throw new Error('An operator asks already. Use the tenantContext or the operatorContext middleware.');
  scope.tenant = freeze(context);
}

/**
 * Sets the operator of the invocation that is running.
 *
 * @throws Error outside of `runInTenantScope`, and when somebody asks already.
 */
export function enterOperator(context: OperatorContext): void {
  const scope = scopes.getStore();
  if (!scope) throw new Error('There is no scope to enter. Run the handler inside runInTenantScope.');
  if (scope.tenant ?? scope.operator)
    throw new Error('Somebody asks already. Use the operatorContext middleware once.');
  scope.operator = Object.freeze({ ...context });
}

/** @throws Error outside of an operator's request. */
export function currentOperator(): OperatorContext {
  const context = scopes.getStore()?.operator;
  if (!context) throw new Error('No operator context set. Did you forget the operatorContext middleware?');
  return context;
}

/** Runs `work` for a tenant, in a scope of its own: for code that knows its tenant from the start. */
export function runWithTenant<T>(context: TenantContext, work: () => T): T {
  return scopes.run({ tenant: freeze(context) }, work);
}

/** @throws NoTenantContextError outside of a tenant's request. */
export function currentTenant(): TenantContext {
  const context = scopes.getStore()?.tenant;
  if (!context) throw new NoTenantContextError();
  return context;
}

/** The current tenant, or undefined where none is set: for logs and metrics, which describe requests of either kind. */
export function currentTenantIfAny(): TenantContext | undefined {
  return scopes.getStore()?.tenant;
}

function freeze(context: TenantContext): TenantContext {
  return Object.freeze({
    ...context,
    placement: Object.freeze({ ...context.placement }),
    roles: Object.freeze([...context.roles]),
    ...(context.limits && { limits: Object.freeze({ ...context.limits }) }),
    ...(context.impersonation && { impersonation: Object.freeze({ ...context.impersonation }) }),
  });
}

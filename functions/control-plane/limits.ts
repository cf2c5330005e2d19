import { plans, type TenantLimits } from '../../shared/contract/index.ts';
import { isKeyKnown, type Operation, type OperationStarter } from '../../shared/control/index.ts';
import { AppError } from '../../shared/errors/index.ts';
import { requestOperation } from './operations.ts';
import type { NewLimits } from './schema.ts';
import { getTenant } from './service.ts';

/**
 * Has the limits of a tenant changed, as `requestOperation` does, to less than its plan grants. A plan that it gets later and that grants
 * even less holds all the same.
 *
 * @throws AppError also limits-above-plan, not-found
 */
export async function changeLimits(
  tenantId: string,
  wanted: NewLimits,
  idempotencyKey: string | undefined,
  starter: OperationStarter,
): Promise<Operation> {
  const input: TenantLimits = Object.fromEntries(
    Object.entries(wanted).filter(([, limit]) => typeof limit === 'number'),
  );
  // What was asked for before with this key was looked at then.
  if (!(await isKeyKnown(idempotencyKey))) await requireGranted(tenantId, input);
  return requestOperation({ kind: 'change-limits', tenantId, input, idempotencyKey }, starter);
}

async function requireGranted(tenantId: string, input: TenantLimits): Promise<void> {
  const { plan } = await getTenant(tenantId);
  const granted: TenantLimits = plans[plan];
  const above = limitNames.filter((name) => (input[name] ?? 0) > (granted[name] ?? Infinity));
  if (above.length > 0) {
    const values = (limits: TenantLimits): string => above.map((name) => `${name} ${limits[name]}`).join(', ');
    throw new AppError(
      'limits-above-plan',
      `The plan ${plan} of the tenant ${tenantId} grants ${values(granted)}; asked for was ${values(input)}. Limits of a tenant can only be lower: change its plan, or add one to shared/contract/plans.ts.`,
    );
  }
}

const limitNames = ['requestsPerMinute', 'burst', 'concurrentRequests'] as const satisfies (keyof TenantLimits)[];

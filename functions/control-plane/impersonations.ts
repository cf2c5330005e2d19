import { beginImpersonation, endImpersonation as end } from '../../shared/control/index.ts';
import { AppError } from '../../shared/errors/index.ts';
import { currentOperator } from '../../shared/tenancy/index.ts';
import type { NewImpersonation } from './new-impersonation.ts';

/** @throws AppError not-found, constraint-violated */
export function impersonate(tenantId: string, { reason, minutes }: NewImpersonation) {
  return beginImpersonation({ tenantId, actor: currentOperator().operatorId, reason, minutes });
}

/** @throws AppError not-found */
export async function endImpersonation(tenantId: string, impersonationId: string): Promise<undefined> {
  if (await end(tenantId, impersonationId, currentOperator().operatorId)) return;
  throw new AppError('not-found', `The tenant ${tenantId} has no impersonation ${impersonationId}.`);
}

import { recordStatement } from '../../shared/control/index.ts';
import { readText } from '../../shared/database/index.ts';
import { AppError } from '../../shared/errors/index.ts';
import { currentOperator, mintCapability, runWithTenant, type SigningKey } from '../../shared/tenancy/index.ts';

const limits = { rows: 1_000, timeoutMs: 10_000 };

/** As long as a request may take, and no longer. */
const capabilitySeconds = 30;

/**
 * Runs a statement of an operator's own, read-only, as a tenant. What cannot be written to the audit log is not run.
 *
 * @throws AppError not-found, constraint-violated, statement-refused, result-too-large
 */
export async function runStatement(tenantId: string, sql: string, signingKey: () => Promise<SigningKey>) {
  const actor = currentOperator().operatorId;
  const tenant = await recordStatement({ tenantId, actor, sql });
  if (!tenant) throw new AppError('not-found', `There is no tenant ${tenantId}.`);
  if (tenant.state !== 'active') {
    throw new AppError(
      'constraint-violated',
      `The tenant ${tenantId} is ${tenant.state}: its database answers nobody.`,
    );
  }
  const { plan, placement } = tenant;
  const capability = mintCapability(await signingKey(), tenantId, Date.now() / 1000 + capabilitySeconds);
  const context = { tenantId, plan, placement, userId: `operator:${actor}`, roles: [], capability };
  const { rows, truncated } = await runWithTenant(context, () => readText(sql, limits));
  return { rows: [...rows], truncated };
}

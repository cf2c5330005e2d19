import * as z from 'zod';
import { queryRegistry } from '../database/registry-connection.ts';
import { AppError } from '../errors/index.ts';
import { uuidv7 } from '../http/index.ts';
import { hashImpersonationToken, newImpersonationToken } from '../tenancy/index.ts';

export interface ImpersonationRequest {
  readonly tenantId: string;
  /** The operator who is to act for the tenant. */
  readonly actor: string;
  readonly reason: string;
  /** How long, 1 to 60. */
  readonly minutes: number;
}

export interface BegunImpersonation {
  readonly id: string;
  /** Nobody can show it a second time. Never log it. */
  readonly token: string;
  readonly expiresAt: string;
}

const outcomeSchema = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('begun'), expiresAt: z.string() }),
  z.object({ outcome: z.enum(['tenant-unknown', 'tenant-inactive']) }),
]);

/**
 * Lets an operator act for a tenant, and writes that to the audit log in the same transaction.
 *
 * @throws AppError not-found, or constraint-violated when the tenant is not active
 */
export async function beginImpersonation(request: ImpersonationRequest): Promise<BegunImpersonation> {
  const { tenantId } = request;
  const id = uuidv7();
  const token = newImpersonationToken();
  const [answer] = await queryRegistry({
    sql: 'select registry.begin_impersonation(cast(:request as jsonb))::text',
    parameters: { request: JSON.stringify({ ...request, id, tokenHash: hashImpersonationToken(token) }) },
    operation: 'insert',
    // A second time finds the first by its id.
    twice: 'harmless',
  });
  const answered = outcomeSchema.parse(answer);
  if (answered.outcome === 'begun') return { id, token, expiresAt: answered.expiresAt };
  if (answered.outcome === 'tenant-unknown') throw new AppError('not-found', `There is no tenant ${tenantId}.`);
  throw new AppError('constraint-violated', `The tenant ${tenantId} is not active, so nobody can act for it.`);
}

/**
 * Ends an impersonation before its time; one that is over stays as it is. From then on no request is answered in it.
 *
 * @returns whether the tenant has such an impersonation
 */
export async function endImpersonation(tenantId: string, impersonationId: string, actor: string): Promise<boolean> {
  const [isKnown] = await queryRegistry({
    sql: 'select registry.end_impersonation(:tenant_id, cast(:id as uuid), :actor)::text',
    parameters: { tenant_id: tenantId, id: impersonationId, actor },
    operation: 'update',
    twice: 'harmless',
  });
  return isKnown === true;
}

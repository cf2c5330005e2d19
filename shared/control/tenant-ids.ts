import * as z from 'zod';
import { queryRegistry } from '../database/registry-connection.ts';
import { AppError } from '../errors/index.ts';

/** What refuses an id to a new tenant. */
export type TakenId = 'tenant-exists' | 'tenant-id-used';

const messages: Readonly<Record<TakenId, (tenantId: string) => string>> = {
  'tenant-exists': (tenantId) => `There is a tenant ${tenantId} already. Choose another id.`,
  'tenant-id-used': (tenantId) =>
    `There was a tenant ${tenantId}, which was offboarded: tokens of its users would be good for the new one. Choose another id, or set reuseId if it is the same customer.`,
};

export const takenIdError = (code: TakenId, tenantId: string): AppError => new AppError(code, messages[code](tenantId));

/**
 * Looks whether a new tenant may have an id. `createOperation` looks again: this is for whoever wants to know before.
 *
 * @throws AppError tenant-exists, tenant-id-used
 */
export async function requireFreeId(tenantId: string): Promise<void> {
  const [found] = await queryRegistry({
    sql: `select to_jsonb(case
        when exists (select from registry.tenants t where t.tenant_id = :tenant_id) then 'tenant-exists'
        when exists (select from registry.operations o where o.tenant_id = :tenant_id and o.kind = 'offboard' and o.state = 'succeeded')
          then 'tenant-id-used'
        else 'free' end)::text`,
    parameters: { tenant_id: tenantId },
    operation: 'select',
    twice: 'harmless',
  });
  const id = z.enum(['tenant-exists', 'tenant-id-used', 'free']).parse(found);
  if (id !== 'free') throw takenIdError(id, tenantId);
}

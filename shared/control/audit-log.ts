import * as z from 'zod';
import { queryRegistry } from '../database/registry-connection.ts';
import { type PageRequest, timestamp } from '../http/index.ts';

const state = z.record(z.string(), z.unknown()).nullable();

/** What somebody did. Nobody can change it any more. */
export const auditEntrySchema = z.object({
  entry: z
    .int()
    .meta({ description: 'Number of the entry. Later entries have greater numbers, and some are left out.' }),
  at: timestamp,
  actor: z.string().meta({ description: 'The operator who did it, or asked for it.' }),
  action: z.string().meta({ examples: ['suspend.succeeded', 'impersonation.used'] }),
  tenantId: z.string(),
  operationId: z.guid().nullable(),
  detail: z.record(z.string(), z.unknown()).meta({ description: 'What was asked for, or why it failed.' }),
  before: state.meta({ description: 'What was changed, as it was before; null if there was nothing.' }),
  after: state.meta({
    description: 'The same as it was afterwards; null if it is gone, or nothing had been changed yet.',
  }),
});
export type AuditEntry = Readonly<z.output<typeof auditEntrySchema>>;

/** Where a page of the audit log ends. */
export type AuditPosition = readonly [entry: number];

/**
 * A page of the audit log, the newest entry first, and one more if there are more.
 *
 * @param tenantId whose history; undefined for that of all tenants
 */
export async function listAuditEntries(
  tenantId: string | undefined,
  { limit, cursor }: PageRequest<AuditPosition>,
): Promise<AuditEntry[]> {
  const conditions = [
    ...(tenantId === undefined ? [] : ['tenant_id = :tenant_id']),
    ...(cursor ? ['entry < cast(:entry as bigint)'] : []),
  ];
  const rows = await queryRegistry({
    sql: `select jsonb_build_object('entry', entry, 'at', at, 'actor', actor, 'action', action, 'tenantId', tenant_id,
        'operationId', operation_id, 'detail', detail, 'before', before, 'after', after)::text
      from registry.audit_log ${conditions.length > 0 ? `where ${conditions.join(' and ')}` : ''}
      order by entry desc limit cast(:rows as integer)`,
    parameters: {
      rows: `${limit + 1}`,
      ...(tenantId !== undefined && { tenant_id: tenantId }),
      ...(cursor && { entry: `${cursor[0]}` }),
    },
    operation: 'select',
    twice: 'harmless',
  });
  return rows.map((row) => auditEntrySchema.parse(row));
}

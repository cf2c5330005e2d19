import * as z from 'zod';
import { type PageRequest, timestamp } from '../http/index.ts';
import { readPage } from './read-page.ts';

const state = z.record(z.string(), z.unknown()).nullable();

/** What somebody did. Nobody can change it any more. */
export const auditEntrySchema = z.object({
  entry: z
    .int()
    .meta({ description: 'Number of the entry. Later entries have greater numbers, and some are left out.' }),
  at: timestamp,
  actor: z.string().meta({ description: 'The operator who did it, or asked for it.' }),
  action: z.string().meta({ examples: ['suspend.succeeded', 'impersonation.used'] }),
  tenantId: z.string().nullable().meta({ description: 'Null where it is about no tenant.' }),
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
  page: PageRequest<AuditPosition>,
): Promise<AuditEntry[]> {
  const rows = await readPage(
    {
      select: `cast(jsonb_build_object('entry', entry, 'at', at, 'actor', actor, 'action', action, 'tenantId', tenant_id,
        'operationId', operation_id, 'detail', detail, 'before', before, 'after', after) as text)`,
      from: 'registry.audit_log',
      filter: { tenant_id: tenantId },
      order: 'newest first',
      key: { entry: 'bigint' },
    },
    page,
  );
  return rows.map((row) => auditEntrySchema.parse(row));
}

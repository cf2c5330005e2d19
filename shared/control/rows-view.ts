import * as z from 'zod';
import { DatabaseError } from '../database/database-error.ts';
import { tenantRowsConnection } from '../database/tenant-rows-connection.ts';
import type { TenantHome } from './tenant-rows.ts';

const homeSchema = z.object({ at: z.string(), state: z.string().nullable(), migrations: z.array(z.string()) });

/** A view of rows that does not change while it is open. */
export const rowsViewSchema = z.object({
  /** Database time. */
  at: z.string(),
  /** Versions of the migrations that the tables have. */
  migrations: z.array(z.string()),
  /** The transaction that holds the view; none if the tenant is suspended, so that nobody writes anyway. */
  transaction: z.string().optional(),
});

/** A view of a tenant's rows. */
export type RowsSnapshot = TenantHome & Readonly<z.output<typeof rowsViewSchema>>;

/**
 * Opens a view of a tenant's rows as they are now: a transaction at REPEATABLE READ, or, while it is suspended, no transaction, since
 * nobody can write.
 */
export async function open({ tenantId, placement }: TenantHome): Promise<RowsSnapshot> {
  const { state, at, migrations } = await look({ tenantId, placement });
  if (state === 'suspended') return { tenantId, placement, at, migrations };
  const transaction = await tenantRowsConnection(placement).beginSnapshot();
  const seen = await look({ tenantId, placement }, transaction);
  return { tenantId, placement, at: seen.at, migrations: seen.migrations, transaction };
}

async function look({ tenantId, placement }: TenantHome, transaction?: string): Promise<z.output<typeof homeSchema>> {
  const [row = ''] = await tenantRowsConnection(placement).query(
    'select cast(tenancy.describe_home(:tenant, :home) as text)',
    { tenant: tenantId, home: placement.schema },
    { twice: transaction === undefined ? 'harmless' : 'forbidden', snapshot: transaction },
  );
  return homeSchema.parse(JSON.parse(row));
}

/** Whether a view is still to be had: its transaction ends when nobody reads in it for three minutes, and after a day. */
export async function isOpen({ transaction, ...home }: RowsSnapshot): Promise<boolean> {
  try {
    const { state } = await look(home, transaction);
    return transaction !== undefined || state === 'suspended';
  } catch (error) {
    if (isEnded(error)) return false;
    throw error;
  }
}

/** Of a transaction that failed nothing can be read either. */
const isEnded = (error: unknown): boolean =>
  error instanceof DatabaseError &&
  (error.sqlState === '25P02' || (error.cause instanceof Error && error.cause.name === 'TransactionNotFoundException'));

export async function close({ placement, transaction }: RowsSnapshot): Promise<void> {
  if (transaction !== undefined) await tenantRowsConnection(placement).endSnapshot(transaction);
}

import {
  IdempotencyInconsistentStateError,
  IdempotencyItemAlreadyExistsError,
  IdempotencyRecordStatus,
} from '@aws-lambda-powertools/idempotency';
import { BasePersistenceLayer, IdempotencyRecord } from '@aws-lambda-powertools/idempotency/persistence';
import { tenantDatabase } from '../../database/index.ts';

/**
 * Keeps idempotency records in the tenant's own table `idempotency_keys`. Row-level security sets tenants apart there as it does
 * everywhere, so that a key that two tenants use is two keys.
 */
export class TenantTablePersistence extends BasePersistenceLayer {
  /** Takes the key: when it is new, when it has expired, or when the function that had taken it must be dead by now. */
  protected override async _putRecord(record: IdempotencyRecord): Promise<void> {
    const now = Date.now();
    const values = {
      status: IdempotencyRecordStatus.INPROGRESS,
      request_hash: record.payloadHash ?? null,
      in_progress_until: record.inProgressExpiryTimestamp ?? null,
      expires_at: record.expiryTimestamp ?? 0,
      response: null,
    };
    const taken = await tenantDatabase()
      .insertInto('idempotency_keys')
      .values({ key: record.idempotencyKey, ...values })
      .onConflict((conflict) =>
        conflict
          .columns(['tenant_id', 'key'])
          .doUpdateSet(values)
          .where((eb) =>
            eb.or([
              eb('idempotency_keys.expires_at', '<', String(Math.floor(now / 1000))),
              eb.and([
                eb('idempotency_keys.status', '=', IdempotencyRecordStatus.INPROGRESS),
                eb('idempotency_keys.in_progress_until', '<', String(now)),
              ]),
            ]),
          ),
      )
      .returning('key')
      .executeTakeFirst();
    if (!taken) throw new IdempotencyItemAlreadyExistsError(`The key ${record.idempotencyKey} is taken.`);
  }

  protected override async _getRecord(idempotencyKey: string): Promise<IdempotencyRecord> {
    const row = await tenantDatabase()
      .selectFrom('idempotency_keys')
      .select(['status', 'response', 'request_hash', 'in_progress_until', 'expires_at'])
      .where('key', '=', idempotencyKey)
      .executeTakeFirst();
    // The attempt that had the key has just failed and let go of it; by this error the library tries to take it again.
    if (!row) throw new IdempotencyInconsistentStateError(`The key ${idempotencyKey} has just become free.`);
    return new IdempotencyRecord({
      idempotencyKey,
      status: row.status,
      expiryTimestamp: Number(row.expires_at),
      ...(row.in_progress_until !== null && { inProgressExpiryTimestamp: Number(row.in_progress_until) }),
      ...(row.response !== null && { responseData: row.response as never }),
      ...(row.request_hash !== null && { payloadHash: row.request_hash }),
    });
  }

  /** Stores the answer of the attempt that had taken the key. */
  protected override async _updateRecord(record: IdempotencyRecord): Promise<void> {
    await tenantDatabase()
      .updateTable('idempotency_keys')
      .set({
        status: IdempotencyRecordStatus.COMPLETED,
        response: record.responseData as never,
        expires_at: record.expiryTimestamp ?? 0,
        in_progress_until: null,
      })
      .where('key', '=', record.idempotencyKey)
      .returning('key')
      .execute();
  }

  /** Lets go of a key whose attempt has failed. An answer that is stored stays. */
  protected override async _deleteRecord(record: IdempotencyRecord): Promise<void> {
    await tenantDatabase()
      .deleteFrom('idempotency_keys')
      .where('key', '=', record.idempotencyKey)
      .where('status', '=', IdempotencyRecordStatus.INPROGRESS)
      .returning('key')
      .execute();
  }
}

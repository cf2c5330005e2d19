import type { DatabaseConnection, Driver, TransactionSettings } from 'kysely';
import { AppError } from '../errors/index.ts';
import type { DataApi } from './data-api.ts';
import type { Router } from './router.ts';
import { TenantConnection } from './tenant-connection.ts';

export interface DriverProps {
  readonly dataApi: DataApi;
  readonly router: Router;
}

/** Kysely's driver over the RDS Data API, which pools connections on its side: ours only remember their transaction. */
export class TenantDriver implements Driver {
  readonly #props: DriverProps;

  constructor(props: DriverProps) {
    this.#props = props;
  }

  async init(): Promise<void> {}

  acquireConnection(): Promise<DatabaseConnection> {
    return Promise.resolve(new TenantConnection(this.#props));
  }

  async releaseConnection(): Promise<void> {}

  async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    const { isolationLevel, accessMode } = settings;
    if (isolationLevel !== undefined && isolationLevel !== 'read committed') {
      throw new AppError(
        'internal',
        `Tenant data is read and written under READ COMMITTED only, not ${isolationLevel}.`,
      );
    }
    await (connection as TenantConnection).begin(accessMode === 'read only');
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await (connection as TenantConnection).commit();
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await (connection as TenantConnection).rollback();
  }

  async destroy(): Promise<void> {}
}

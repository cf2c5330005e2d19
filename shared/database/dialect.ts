import { type DatabaseIntrospector, type Dialect, DialectAdapterBase, type Driver, type QueryCompiler } from 'kysely';
import { AppError } from '../errors/index.ts';
import { type DriverProps, TenantDriver } from './driver.ts';
import { TenantQueryCompiler } from './query-compiler.ts';

/** Kysely's dialect for tenants' data over the RDS Data API. */
export class TenantDialect implements Dialect {
  readonly #props: DriverProps;

  constructor(props: DriverProps) {
    this.#props = props;
  }

  createDriver(): Driver {
    return new TenantDriver(this.#props);
  }

  createQueryCompiler(): QueryCompiler {
    return new TenantQueryCompiler();
  }

  createAdapter(): TenantAdapter {
    return new TenantAdapter();
  }

  createIntrospector(): DatabaseIntrospector {
    throw new AppError('internal', 'An application function does not look into the catalog.');
  }
}

class TenantAdapter extends DialectAdapterBase {
  override get supportsReturning(): boolean {
    return true;
  }

  override get supportsTransactionalDdl(): boolean {
    return false;
  }

  acquireMigrationLock(): Promise<void> {
    throw new AppError('internal', 'Migrations are files in migrations/, applied by the migration runner.');
  }

  releaseMigrationLock(): Promise<void> {
    return Promise.resolve();
  }
}

import { type Compilable, Kysely } from 'kysely';
import { loadConfig } from '../config/index.ts';
import { type BatchResults, runBatch } from './batch.ts';
import type { DatabaseConfig } from './config.ts';
import { DataApi } from './data-api.ts';
import { TenantDialect } from './dialect.ts';
import type { DriverProps } from './driver.ts';
import { type PlacementMemory, Router } from './router.ts';
import { ScopePlugin } from './scope-plugin.ts';
import type { Tables } from './tables.ts';

/** The tables of the current tenant, through Kysely. */
export class TenantDatabase extends Kysely<Tables> {
  readonly #props: DriverProps;

  constructor(props: DriverProps) {
    super({ dialect: new TenantDialect(props), plugins: [new ScopePlugin()] });
    this.#props = props;
  }

  /**
   * Runs several queries in one call and one transaction: all of them take effect, or none.
   *
   * @returns what `execute()` of each query would return, in the same order
   * @example const [[project], tasks] = await database.batch([oneProject, itsTasks]);
   */
  batch<const Q extends readonly Compilable[]>(queries: Q): Promise<BatchResults<Q>> {
    return runBatch(this.#props, queries);
  }
}

/** A database of its own for a configuration that is not the environment's. */
export function openTenantDatabase(config: DatabaseConfig, memory?: PlacementMemory): TenantDatabase {
  const dataApi = new DataApi();
  return new TenantDatabase({ dataApi, router: new Router(config, dataApi, memory) });
}

let database: TenantDatabase | undefined;
let placements: PlacementMemory | undefined;

/** Makes `tenantDatabase()` share with other processes what the registry says of tenants that have moved. For who starts a function. */
export function sharePlacements(memory: PlacementMemory): void {
  placements = memory;
}

/**
 * The database of whichever tenant the current request is for; always the same object, which keeps nothing of a tenant. Every
 * statement is one call of the RDS Data API, and a transaction is begin + n + commit.
 *
 * @throws ConfigurationError at the first use, when the environment does not say where databases are
 * @throws NoTenantContextError by every query outside of a tenant's request
 * @throws DatabaseError by queries that the database refuses
 * @example tenantDatabase().selectFrom('tasks').select(['id', 'title']).where('status', '=', 'open').execute()
 */
export function tenantDatabase(): TenantDatabase {
  database ??= openTenantDatabase(loadConfig('clusters', 'registry'), placements);
  return database;
}

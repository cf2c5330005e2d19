import type { DataApi, DataApiCall, DataApiOptions } from '../../../local/data-api/server.ts';
import { mainCluster } from '../../../shared/contract/index.ts';
import { migrationConnection } from '../../../shared/database/migration-connection.ts';
import { type Execute, type Migration, readAllMigrations } from '../../../shared/database/migrator.ts';
import { provisionSchema, publishMigrations } from '../../../shared/database/provision.ts';
import type { TestDatabase } from '../database.ts';
import { configFor, startTenantDatabase } from '../tenant-database.ts';

/** A database with placements, reached over the Data API as the runner reaches it. */
export interface FleetWorld extends AsyncDisposable {
  readonly postgres: TestDatabase;
  readonly execute: Execute;
  readonly calls: DataApiCall[];
  readonly server: DataApi;
  /** The migrations of the product. */
  readonly tenant: readonly Migration[];
  /** Publishes the product's migrations and these, and makes placements that have them. */
  provision(schemas: readonly string[], ...more: readonly Migration[]): Promise<void>;
  /** What the ledger says, `placement version state`, of some versions. */
  ledger(...versions: readonly string[]): Promise<string[]>;
  query<Row extends object>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
}

export async function startFleetWorld(options: Partial<DataApiOptions> = {}): Promise<FleetWorld> {
  const api = await startTenantDatabase([], options);
  const { tenant } = await readAllMigrations('migrations');
  const { [mainCluster]: login } = configFor('owner', api.postgres.name).clusters;
  if (!login) throw new Error('The configuration has no cluster.');
  const execute = migrationConnection({ ...login, database: api.postgres.name });
  const query = async <Row extends object>(sql: string, values: readonly unknown[] = []): Promise<Row[]> =>
    (await api.postgres.superuser.query<Row>(sql, [...values])).rows;
  return {
    postgres: api.postgres,
    execute,
    calls: api.calls,
    server: api.server,
    tenant,
    provision: async (schemas, ...more) => {
      await publishMigrations(execute, [...tenant, ...more]);
      for (const schema of schemas) await provisionSchema(execute, schema);
    },
    ledger: async (...versions) => {
      const rows = await query<{ line: string }>(
        `select concat_ws(' ', target, version, state) as line from tenancy.migrations where version = any ($1) order by 1`,
        [versions],
      );
      return rows.map(({ line }) => line);
    },
    query,
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}

/** A migration of a test's own; its text is its checksum. */
export const migration = (version: string, sql: string, mode: Migration['mode'] = 'transaction'): Migration => ({
  version,
  sql,
  checksum: sql,
  mode,
});

export const names = (count: number, prefix = 't'): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}_${String(index + 1).padStart(4, '0')}`);

/** Drops a placement in which nobody is at home, whoever made it. */
export async function dropPlacement(execute: Execute, schema: string): Promise<void> {
  for (;;) {
    const [left] = await execute('select tenancy.drop_some(:schema, 10, 500)', { schema });
    if (Number(left) === 0) return;
  }
}

import { loadConfig } from '../config/index.ts';
import { AppError } from '../errors/index.ts';
import type { Placement } from '../tenancy/tenant.ts';
import { DataApi, type Parameters } from './data-api.ts';
import { DatabaseError } from './database-error.ts';
import type { Twice } from './retry.ts';
import { loginOf } from './router.ts';

/** The database that a tenant lives in, for the functions by which the kernel acts for tenants. */
export interface TenantRowsConnection {
  /** Runs a statement, in one transaction of its own or in the one named. @returns the text of the first column of each row */
  query(
    sql: string,
    parameters: Parameters,
    options: { twice: Twice; snapshot?: string | undefined },
  ): Promise<string[]>;
  /** Begins a transaction that sees the database as it was at its first statement. It may only read. @returns its id */
  beginSnapshot(): Promise<string>;
  endSnapshot(snapshot: string): Promise<void>;
}

const noSuchDatabase = '3D000';

const gone = (what: string, cause?: Error): AppError => new AppError('home-gone', what, { cause });

let dataApi: DataApi | undefined;

/**
 * Statements on a placement's database with the login of the function, which may be nobody's but that of operations. Lint lets only
 * shared/control import this.
 *
 * @throws AppError `home-gone`, from here or from a statement, when there is no such cluster or database any more
 */
export function tenantRowsConnection({ cluster, database }: Placement): TenantRowsConnection {
  dataApi ??= new DataApi();
  const api = dataApi;
  const config = loadConfig('clusters', 'registry');
  if (!Object.hasOwn(config.clusters, cluster)) throw gone(`There is no cluster ${cluster} in the configuration.`);
  const connection = { ...loginOf(config, cluster), database };
  const query: TenantRowsConnection['query'] = async (sql, parameters, { twice, snapshot }) => {
    try {
      const rows = await api.execute(connection, sql, parameters, { twice, transactionId: snapshot });
      return rows.map(([text]) => text ?? '');
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.sqlState !== noSuchDatabase) throw error;
      throw gone(`There is no database ${database} on the cluster ${cluster}.`, error);
    }
  };
  return {
    query,
    beginSnapshot: async () => {
      const snapshot = await api.begin(connection);
      await query('set transaction isolation level repeatable read, read only', {}, { twice: 'forbidden', snapshot });
      return snapshot;
    },
    endSnapshot: (snapshot) => api.rollback(connection, snapshot),
  };
}

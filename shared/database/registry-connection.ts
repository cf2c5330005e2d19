import { loadConfig } from '../config/index.ts';
import { DataApi, type Parameters } from './data-api.ts';
import { withDeadline } from './deadline.ts';
import { observed } from './observed.ts';
import type { Twice } from './retry.ts';
import { loginOf } from './router.ts';

export interface RegistryStatement {
  /** Gives one column of JSON text a row. */
  readonly sql: string;
  readonly parameters: Parameters;
  /** For metrics. */
  readonly operation: 'select' | 'insert' | 'update' | 'delete';
  /** What happens when it runs twice. */
  readonly twice: Twice;
}

type Query = (statement: RegistryStatement, cluster?: string) => Promise<unknown[]>;

function registryQuery(): Query {
  const dataApi = new DataApi();
  const { registrySecretArn: secretArn, ...config } = loadConfig('clusters', 'registry', 'registrySecretArn');
  const { cluster: home, database } = config.registry;
  const connectionTo = (cluster: string) => ({
    ...loginOf(config, cluster),
    ...(secretArn !== undefined && { secretArn }),
    database,
  });
  return async ({ sql, parameters, operation, twice }, cluster = home) => {
    const connection = connectionTo(cluster);
    const rows = await observed(operation, () => dataApi.execute(connection, sql, parameters, { twice }));
    return rows.map(([json]): unknown => (typeof json === 'string' ? JSON.parse(json) : null));
  };
}

let query: Query | undefined;

/**
 * Runs a statement on the registry with the function's login there, in one call that is one transaction. Lint lets only shared/control
 * import this.
 *
 * @returns the parsed JSON of each row
 * @throws DatabaseError
 */
export const queryRegistry = (statement: RegistryStatement): Promise<unknown[]> => queryOf()(statement);

/**
 * Runs a statement with the same login in the database that tenants share on a cluster, where there is no registry: for what a server
 * says of itself. Gives up after so long.
 *
 * @throws DatabaseError; AppError `internal` when the function was not told of the cluster
 */
export const queryServer = (cluster: string, statement: RegistryStatement, timeoutMs: number): Promise<unknown[]> =>
  withDeadline(Date.now() + timeoutMs, () => queryOf()(statement, cluster));

function queryOf(): Query {
  query ??= registryQuery();
  return query;
}

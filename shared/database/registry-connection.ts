import { loadConfig } from '../config/index.ts';
import { DataApi, type Parameters } from './data-api.ts';
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

type Query = (statement: RegistryStatement) => Promise<unknown[]>;

function registryQuery(): Query {
  const dataApi = new DataApi();
  const { registrySecretArn: secretArn, ...config } = loadConfig('clusters', 'registry', 'registrySecretArn');
  const { cluster, database } = config.registry;
  const registry = { ...loginOf(config, cluster), ...(secretArn !== undefined && { secretArn }), database };
  return async ({ sql, parameters, operation, twice }) => {
    const rows = await observed(operation, () => dataApi.execute(registry, sql, parameters, { twice }));
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
export const queryRegistry: Query = (statement) => {
  query ??= registryQuery();
  return query(statement);
};

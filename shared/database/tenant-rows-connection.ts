import { loadConfig } from '../config/index.ts';
import type { Placement } from '../tenancy/tenant.ts';
import { DataApi, type Parameters } from './data-api.ts';
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

let dataApi: DataApi | undefined;

/**
 * Statements on a placement's database with the login of the function, which may be nobody's but that of operations. Lint lets only
 * shared/control import this.
 */
export function tenantRowsConnection({ cluster, database }: Placement): TenantRowsConnection {
  dataApi ??= new DataApi();
  const api = dataApi;
  const connection = { ...loginOf(loadConfig('clusters', 'registry'), cluster), database };
  const query: TenantRowsConnection['query'] = async (sql, parameters, { twice, snapshot }) => {
    const rows = await api.execute(connection, sql, parameters, { twice, transactionId: snapshot });
    return rows.map(([text]) => text ?? '');
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

import type { Client } from 'pg';
import { poolSchema } from '../../shared/contract/index.ts';
import { capabilityFor } from './capability.ts';

/** What `explain (<options>)` answers to a login that policies bind, in a transaction of its own that leaves nothing. */
export async function explainAs(
  login: Client,
  tenantId: string,
  options: string,
  statement: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<unknown[]> {
  await login.query('begin');
  try {
    const entered = {
      'tenancy.capability': capabilityFor(tenantId),
      search_path: `${poolSchema}, pg_temp`,
      ...settings,
    };
    for (const [name, value] of Object.entries(entered))
      await login.query('select set_config($1, $2, true)', [name, value]);
    const { rows } = await login.query<{ 'QUERY PLAN': unknown }>(`explain (${options}) ${statement}`);
    return rows.map((row) => row['QUERY PLAN']);
  } finally {
    await login.query('rollback');
  }
}

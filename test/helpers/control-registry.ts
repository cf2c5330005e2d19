import type { DataApiOptions } from '../../local/data-api/server.ts';
import { environmentKeys } from '../../shared/contract/index.ts';
import { configFor, startTenantDatabase, type TestTenantDatabase } from './tenant-database.ts';

/**
 * A migrated database whose registry shared/control uses as a function of the control plane does, or as that of operations. One a test
 * file.
 */
export async function startControlRegistry(
  tenantIds: readonly string[] = [],
  role: 'control' | 'operations' = 'control',
  options: Partial<DataApiOptions> = {},
): Promise<TestTenantDatabase> {
  const database = await startTenantDatabase(tenantIds, options);
  const { clusters, registry } = configFor(role, database.postgres.name);
  process.env[environmentKeys.clusters] = JSON.stringify(clusters);
  process.env[environmentKeys.registry] = JSON.stringify(registry);
  return database;
}

/** What a table of the registry says of a tenant, oldest first. */
export async function registryRows(
  { postgres }: TestTenantDatabase,
  table: 'operations' | 'events' | 'audit_log',
  tenantId: string,
): Promise<object[]> {
  const order = { operations: 'created_at', events: 'sequence', audit_log: 'entry' }[table];
  const { rows } = await postgres.superuser.query<object>(
    `select * from registry.${table} where tenant_id = $1 order by ${order}`,
    [tenantId],
  );
  return rows;
}

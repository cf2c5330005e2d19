import type { Execute, Migration } from './migrator.ts';

/**
 * Makes tenant migrations the ones that every placement of a database gets. New placements have them from then on; {@link migrateFleet}
 * brings them to the others.
 *
 * @throws when one was changed after it had been applied (TN009)
 */
export async function publishMigrations(execute: Execute, migrations: readonly Migration[]): Promise<void> {
  const files = migrations.map(({ version, checksum, sql, mode = 'transaction', replaces = [] }) => ({
    version,
    checksum,
    sql,
    mode,
    replaces,
  }));
  await execute('select tenancy.publish(cast(:files as jsonb))', { files: JSON.stringify(files) });
}

/**
 * Makes a placement: a schema with all published migrations, protected as the pool is, in one call and one transaction. Does nothing when
 * it is there.
 *
 * @returns the versions that were applied
 * @throws when a schema of that name is no placement (42P06), or is being dropped (55006)
 */
export async function provisionSchema(execute: Execute, schema: string): Promise<readonly string[]> {
  return (await execute('select tenancy.provision(:schema)', { schema })).map(String);
}

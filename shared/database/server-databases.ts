import type { Execute } from './migrator.ts';

/** Databases that a server comes with, in which nothing of the product is and to which Postgres lets everybody connect. */
export const serverDatabases = ['postgres', 'template1'] as const;

/**
 * Closes databases to everybody but their owners: a login could leave something there for another one. Changes nothing that is closed.
 *
 * @param execute runs statements as the cluster's master user, in any database of the cluster
 * @param databases constants
 * @returns those that stay open, since the master user may not close them
 */
export async function closeDatabases(execute: Execute, databases: readonly string[]): Promise<string[]> {
  const open = `select d.datname from pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
    where d.datname in (${databases.map((name) => `'${name}'`).join(', ')}) and a.grantee = 0 and a.privilege_type = 'CONNECT'`;
  await execute(
    `do $$ declare name text; begin
      for name in ${open} loop
        begin
          execute format('revoke connect, temporary on database %I from public', name);
        -- An internal error is what who closes it at the same time as another one gets: it is closed then.
        exception when insufficient_privilege or internal_error then
          null;
        end;
      end loop;
    end $$`,
  );
  return (await execute(open)).map(String);
}

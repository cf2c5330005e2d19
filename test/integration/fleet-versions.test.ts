import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sql } from 'kysely';
import { migrateFleet } from '../../shared/database/fleet.ts';
import { migrationConnection } from '../../shared/database/migration-connection.ts';
import { type Execute, type Migration, readAllMigrations } from '../../shared/database/migrator.ts';
import { provisionSchema, publishMigrations } from '../../shared/database/provision.ts';
import type { Placement } from '../../shared/tenancy/index.ts';
import { mainCluster } from '../../shared/contract/index.ts';
import { migration, names } from '../helpers/fleet/fleet-world.ts';
import { configFor, startTenantDatabase, type TestTenantDatabase } from '../helpers/tenant-database.ts';

let api: TestTenantDatabase;
let execute: Execute;
let tenant: readonly Migration[];
const schemas = names(8);
const tenantOf = (schema: string): string => schema.replace('_', '-');

/** A task's assignee becomes its owner: the column is added, kept in step, filled, and one day the old one goes. docs/migrations.md. */
const expand = migration(
  '900',
  `alter table tasks add owner text;
   create function keep_owner() returns trigger language plpgsql as $$
   begin
     if tg_op = 'INSERT' then
       new.owner := coalesce(new.owner, new.assignee);
       new.assignee := new.owner;
     elsif new.owner is distinct from old.owner then
       new.assignee := new.owner;
     else
       new.owner := new.assignee;
     end if;
     return new;
   end $$;
   create trigger keep_owner before insert or update on tasks for each row execute function keep_owner()`,
);
const backfill = migration(
  '901',
  `update tasks set owner = assignee where id in (select id from tasks where owner is null and assignee is not null limit 10)`,
  'each-tenant',
);

beforeAll(async () => {
  api = await startTenantDatabase([]);
  ({ tenant } = await readAllMigrations('migrations'));
  const { [mainCluster]: login } = configFor('owner', api.postgres.name).clusters;
  if (!login) throw new Error('The configuration has no cluster.');
  execute = migrationConnection({ ...login, database: api.postgres.name });
  await publishMigrations(execute, tenant);
  for (const schema of schemas) {
    await provisionSchema(execute, schema);
    await api.postgres.owner.query('select tenancy.set_placement($1, $2, $3)', [tenantOf(schema), schema, 'active']);
  }
});
afterAll(() => api[Symbol.asyncDispose]());

const as = <T>(schema: string, work: () => Promise<T>): Promise<T> => {
  const placement: Placement = { model: 'bridge', cluster: mainCluster, database: api.postgres.name, schema };
  return api.as(tenantOf(schema), work, { placement });
};

const contract = migration(
  '902',
  `drop trigger keep_owner on tasks; drop function keep_owner(); alter table tasks drop assignee`,
);

interface Version {
  add(schema: string, title: string): Promise<unknown>;
  /** Hands all tasks of one name to another one. */
  reassign(schema: string, from: string, to: string): Promise<unknown>;
  assignees(schema: string): Promise<readonly (string | null)[]>;
}

/** Writes the column of that name, and no other one. */
const writing = (column: string): Pick<Version, 'add' | 'reassign'> => ({
  add: (schema, title) =>
    as(schema, async () => {
      const { rows } = await sql<{ id: string }>`insert into projects (name) values (${title}) returning id`.execute(
        api.db,
      );
      await sql`insert into tasks (project_id, title, ${sql.ref(column)}) values (${rows[0]?.id}, ${title}, 'ann') returning id`.execute(
        api.db,
      );
    }),
  reassign: (schema, from, to) =>
    as(schema, () =>
      sql`update tasks set ${sql.ref(column)} = ${to} where ${sql.ref(column)} = ${from} returning id`.execute(api.db),
    ),
});
const read = (column: string) => (schema: string) =>
  as(schema, async () => {
    const { rows } = await sql<{
      who: string | null;
    }>`select ${sql.raw(column)} as who from tasks order by title`.execute(api.db);
    return rows.map(({ who }) => who);
  });

/** Knows nothing of the new column. */
const before: Version = { ...writing('assignee'), assignees: read('assignee') };
/** Reads the new column where there is one with a value. */
const next: Version = { ...writing('assignee'), assignees: read(`coalesce(to_jsonb(tasks) ->> 'owner', assignee)`) };
/** Deployed when the fleet is done: knows nothing of the old one any more. */
const after: Version = { ...writing('owner'), assignees: read('owner') };

const onVersion = async (): Promise<Set<string>> => {
  const { rows } = await api.postgres.superuser.query<{ target: string }>(
    `select target from tenancy.migrations where version = '901' and state = 'done'`,
  );
  return new Set(rows.map(({ target }) => target));
};

describe('while a fleet migrates', () => {
  it('functions of both versions run against placements of both', async () => {
    let round = 0;
    const met = new Set<string>();
    const useAll = async (versions: readonly Version[]): Promise<void> => {
      round += 1;
      const migrated = await onVersion();
      for (const schema of schemas) {
        for (const [index, version] of versions.entries()) {
          await version.add(schema, `${round}-${index}`);
          // What one has written the others read, whichever column they know.
          await version.reassign(schema, 'ann', 'bob');
          for (const other of versions) expect(new Set(await other.assignees(schema))).toEqual(new Set(['bob']));
          await version.reassign(schema, 'bob', 'ann');
          met.add(`${index} ${String(migrated.has(schema))}`);
        }
      }
    };
    await useAll([before, next]);
    const slowly: Execute = async (statement, parameters) => {
      const rows = await execute(statement, parameters);
      if (/migrate_some|backfill_some/.test(statement) && (await onVersion()).size % 6 === 1)
        await useAll([before, next]);
      return rows;
    };
    const report = await migrateFleet([{ name: 'main', execute: slowly }], [...tenant, expand, backfill], {
      only: schemas,
      canaries: 1,
      concurrency: 1,
      placementsPerCall: 2,
      pollMs: 10,
    });
    expect(report).toMatchObject({ done: 8, failed: 0 });
    await useAll([next, after]);
    const contracted = [...tenant, expand, backfill, contract];
    // Only now that none is left who knows the old column.
    expect(await migrateFleet([{ name: 'main', execute }], contracted, { only: schemas })).toMatchObject({ done: 8 });
    await useAll([after]);
    await expect(next.assignees(schemas[0] ?? '')).rejects.toThrow();
    expect(met).toEqual(new Set(['0 false', '1 false', '0 true', '1 true']));
  });

  it('a column that is renamed breaks the functions of before', async () => {
    const [schema = ''] = schemas;
    const rename = migration('903', 'alter table tasks rename owner to whom');
    const files = [...tenant, expand, backfill, contract, rename];
    await migrateFleet([{ name: 'main', execute }], files, { only: [schema] });
    await expect(after.assignees(schema)).rejects.toThrow();
  });
});

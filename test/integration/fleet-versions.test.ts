import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { migrateFleet } from '../../shared/database/fleet.ts';
import { migrationConnection } from '../../shared/database/migration-connection.ts';
import { type Execute, type Migration, readAllMigrations } from '../../shared/database/migrator.ts';
import { provisionSchema, publishMigrations } from '../../shared/database/provision.ts';
import type { ApiHandler } from '../../shared/middleware/index.ts';
import { mainCluster } from '../../shared/contract/index.ts';
import { migration, names } from '../helpers/fleet/fleet-world.ts';
import { startFunctions, type TestFunctions } from '../helpers/functions.ts';
import { captureJsonLines } from '../helpers/stdout.ts';
import { configFor, startTenantDatabase, type TestTenantDatabase } from '../helpers/tenant-database.ts';

let api: TestTenantDatabase;
let functions: TestFunctions;
let execute: Execute;
let tenant: readonly Migration[];
/** The function of this version; of the next one, which meets old and new tables; and of the one behind that. */
let before: ApiHandler;
let next: ApiHandler;
let after: ApiHandler;
const schemas = names(6);
const tenantOf = (schema: string): string => schema.replace('_', '-');
/** A project of each tenant, and who has which of its tasks. */
const projects = new Map<string, string>();
const assignees = new Map<string, Map<string, string>>();

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

const contract = migration(
  '902',
  `drop trigger keep_owner on tasks; drop function keep_owner(); alter table tasks drop assignee`,
);

beforeAll(async () => {
  captureJsonLines();
  api = await startTenantDatabase([]);
  functions = await startFunctions([], api);
  // Functions read their configuration as they are loaded.
  ({ handler: before } = await import('../../functions/tasks/handler.ts'));
  ({ nextTasks: next, lastTasks: after } = await import('../helpers/fleet/tasks-versions.ts'));
  ({ tenant } = await readAllMigrations('migrations'));
  const { [mainCluster]: login } = configFor('owner', api.postgres.name).clusters;
  if (!login) throw new Error('The configuration has no cluster.');
  execute = migrationConnection({ ...login, database: api.postgres.name });
  await publishMigrations(execute, tenant);
  for (const schema of schemas) {
    await provisionSchema(execute, schema);
    await api.postgres.owner.query('select tenancy.set_placement($1, $2, $3)', [tenantOf(schema), schema, 'active']);
    const { json } = await call(schema, 'POST /projects', { body: { name: 'Apollo' } });
    projects.set(schema, String(json['id']));
    assignees.set(schema, new Map());
  }
});
afterAll(async () => {
  await functions[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
});
beforeEach(() => void captureJsonLines());

const all = '/projects/{projectId}/tasks';
type Request = Parameters<TestFunctions['call']>[2];

/** Asks a function as a user of the tenant of a schema. @param handler @default the project's own */
const call = (schema: string, route: string, request: Request, handler?: ApiHandler) => {
  const placement = JSON.stringify({ model: 'bridge', cluster: mainCluster, database: api.postgres.name, schema });
  return functions.call(tenantOf(schema), route, { ...request, authorizer: { placement } }, undefined, handler);
};
const pathOf = (schema: string) => ({ projectId: projects.get(schema) ?? '' });

async function add(version: ApiHandler, schema: string, title: string): Promise<string> {
  const request = { path: pathOf(schema), body: { title, assignee: 'ann' } };
  const { status, json } = await call(schema, `POST ${all}`, request, version);
  expect({ status, json }).toMatchObject({ status: 201, json: { title, assignee: 'ann' } });
  assignees.get(schema)?.set(String(json['id']), 'ann');
  return String(json['id']);
}

async function reassign(version: ApiHandler, schema: string, taskId: string, assignee: string): Promise<void> {
  const request = { path: { ...pathOf(schema), taskId }, body: { assignee } };
  expect(await call(schema, `PATCH ${all}/{taskId}`, request, version)).toMatchObject({ json: { assignee } });
  assignees.get(schema)?.set(taskId, assignee);
}

const list = (version: ApiHandler, schema: string) =>
  call(schema, `GET ${all}`, { path: pathOf(schema), query: { limit: '100' } }, version);

/** Whoever is asked says of each task what was written of it last, whoever wrote that. */
async function expectAgreement(versions: readonly ApiHandler[], schema: string): Promise<void> {
  for (const version of versions) {
    const { items } = (await list(version, schema)).json as { items: { id: string; assignee: string }[] };
    expect(new Map(items.map(({ id, assignee }) => [id, assignee]))).toEqual(assignees.get(schema));
  }
}

const onVersion = async (): Promise<Set<string>> => {
  const { rows } = await api.postgres.superuser.query<{ target: string }>(
    `select target from tenancy.migrations where version = '901' and state = 'done'`,
  );
  return new Set(rows.map(({ target }) => target));
};

describe('while a fleet migrates', () => {
  it(
    'functions of both versions serve tenants who are migrated and such who are not',
    { timeout: 180_000 },
    async () => {
      let round = 0;
      const met = new Set<string>();
      const useAll = async (versions: readonly ApiHandler[]): Promise<void> => {
        round += 1;
        const migrated = await onVersion();
        for (const schema of schemas) {
          const tasks = assignees.get(schema) ?? new Map<string, string>();
          for (const [index, version] of versions.entries()) {
            const [oldest] = tasks.keys();
            const added = await add(version, schema, `${round}-${index}`);
            await expectAgreement(versions, schema);
            // What one has written the other changes, be it from before the migration or from now.
            for (const taskId of [oldest ?? added, added])
              await reassign(versions.at(index - 1) ?? version, schema, taskId, `bob-${round}-${index}`);
            await expectAgreement(versions, schema);
            met.add(`${index} ${String(migrated.has(schema))}`);
          }
        }
      };
      await useAll([before, next]);
      let isHalfWay = false;
      const slowly: Execute = async (statement, parameters) => {
        const rows = await execute(statement, parameters);
        if (/migrate_some|backfill_some/.test(statement) && (await onVersion()).size >= 2 && !isHalfWay) {
          isHalfWay = true;
          await useAll([before, next]);
        }
        return rows;
      };
      const report = await migrateFleet([{ name: 'main', execute: slowly }], [...tenant, expand, backfill], {
        only: schemas,
        canaries: 1,
        concurrency: 1,
        placementsPerCall: 2,
        pollMs: 10,
      });
      expect(report).toMatchObject({ done: 6, failed: 0 });
      expect(met).toEqual(new Set(['0 false', '1 false', '0 true', '1 true']));
      // Nobody has the status of the fleet yet: the one of before is still there.
      await useAll([before, next]);
      await useAll([next, after]);
      const contracted = [...tenant, expand, backfill, contract];
      // Only now that none is left who knows the old column.
      expect(await migrateFleet([{ name: 'main', execute }], contracted, { only: schemas })).toMatchObject({ done: 6 });
      await useAll([after]);
      for (const old of [before, next]) expect((await list(old, schemas[0] ?? '')).status).toBe(500);
    },
  );

  it('a column that is renamed breaks the functions of before', async () => {
    const [schema = ''] = schemas;
    const rename = migration('903', 'alter table tasks rename owner to whom');
    const files = [...tenant, expand, backfill, contract, rename];
    await migrateFleet([{ name: 'main', execute }], files, { only: [schema] });
    expect((await list(after, schema)).status).toBe(500);
  });
});

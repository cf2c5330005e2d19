import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseRoles } from '../../shared/contract/index.ts';
import { applyMigrations, type Migrations, readAllMigrations } from '../../shared/database/migrator.ts';
import { executeWith } from '../helpers/database-template.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';
import { failureOf } from '../helpers/run-as.ts';
import { workerPostgres } from '../helpers/worker-postgres.ts';

let database: TestDatabase;
let migrations: Migrations;

beforeAll(async () => {
  database = await createTestDatabase();
  migrations = await readAllMigrations('migrations');
});
afterAll(() => database[Symbol.asyncDispose]());

const audit = async (client: Client): Promise<unknown[]> => (await client.query('select * from tenancy.audit()')).rows;

/** A database of a tenant's own: kernel and tables, no registry. */
async function withSilo(work: (owner: Client) => Promise<void>): Promise<void> {
  const { port } = workerPostgres();
  const name = `${database.name}_silo`;
  await database.superuser.query(`create database ${name} owner tenantry_master`);
  await database.superuser.query(`revoke all on database ${name} from public`);
  await database.superuser.query(`grant create, connect on database ${name} to ${databaseRoles.owner}`);
  const { owner: user } = databaseRoles;
  const owner = new Client({ host: '127.0.0.1', port, user, password: user, database: name });
  await owner.connect();
  try {
    await work(owner);
  } finally {
    await owner.end();
    await database.superuser.query(`drop database ${name} with (force)`);
  }
}

describe('the audit finds nothing in what migrations make', () => {
  it('in the pool, with tenants in it', async () => {
    await database.addTenants('acme', 'globex');
    expect(await audit(database.owner)).toEqual([]);
  });

  it("with a schema of a tenant's own beside the pool", async () => {
    await applyMigrations(executeWith(database.owner), 'tenant_hooli', migrations.tenant);
    await database.superuser.query(
      `insert into registry.tenants (tenant_id, name, plan, model, cluster, database, schema)
       values ('hooli', 'Hooli', 'pro', 'bridge', 'main', current_database(), 'tenant_hooli')`,
    );
    await database.owner.query(`select tenancy.set_placement('hooli', 'tenant_hooli', 'active')`);
    expect(await audit(database.owner)).toEqual([]);
    await database.owner.query('alter table tenant_hooli.tasks no force row level security');
    expect(await audit(database.owner)).toMatchObject([{ class: 3, object: 'tenant_hooli.tasks' }]);
    await database.owner.query('alter table tenant_hooli.tasks force row level security');
  });

  it("in a database of a tenant's own", async () => {
    await withSilo(async (owner) => {
      await applyMigrations(executeWith(owner), 'kernel', migrations.kernel);
      await applyMigrations(executeWith(owner), 'tenant_acme', migrations.tenant);
      await owner.query(`select tenancy.set_placement('acme', 'tenant_acme', 'active')`);
      expect(await audit(owner)).toEqual([]);
      await owner.query('drop trigger fence on tenant_acme.projects');
      expect(await audit(owner)).toMatchObject([{ class: 30, object: 'tenant_acme.projects' }]);
    });
  });

  it('after the kernel was migrated once more', async () => {
    const replaced =
      'create or replace function tenancy.migrate(target text, migrations jsonb) returns setof text language sql as $$ select target $$';
    await database.owner.query('begin');
    await database.owner.query(replaced);
    expect(await audit(database.owner)).toMatchObject([{ class: 20, object: 'tenancy.migrate(text,jsonb)' }]);
    await database.owner.query('rollback');
    await applyMigrations(executeWith(database.owner), 'kernel', migrations.kernel);
    expect(await audit(database.owner)).not.toContainEqual(expect.objectContaining({ class: 20 }));
  });
});

describe('the audit', () => {
  it('is not for application code', async () => {
    for (const role of ['app', 'authorizer', 'control'] as const) {
      const client = await database.connectAs(role);
      expect(await failureOf(client.query('select * from tenancy.audit()'))).toMatchObject({ code: '42501' });
    }
  });

  it('does not bless a replaced function when a later migration seals others', async () => {
    await database.owner.query('begin');
    await database.owner.query('alter function tenancy.leave(text) immutable');
    await database.owner.query(`select tenancy.seal('tenancy.run(text,text,text,jsonb,boolean)')`);
    expect(await audit(database.owner)).toContainEqual(
      expect.objectContaining({ class: 20, object: 'tenancy.leave(text)' }),
    );
    await database.owner.query('rollback');
  });
});

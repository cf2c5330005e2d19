import { Client } from 'pg';
import { databaseRoles, poolSchema } from '../../../shared/contract/index.ts';
import { applyMigrations, forRole, readAllMigrations } from '../../../shared/database/migrator.ts';
import type { Placement } from '../../../shared/tenancy/index.ts';
import { executeWith } from '../../helpers/database-template.ts';
import { startSiloRunner } from '../../helpers/silo-runner.ts';
import { startTenantDatabase, type TestTenantDatabase } from '../../helpers/tenant-database.ts';
import { workerPostgres } from '../../helpers/worker-postgres.ts';
import { Home } from './home.ts';

export type Model = Placement['model'];

/** Tenants that have rows in the home under test, each named after its situation. `moving` and `moved` leave it. */
const inHome = ['own', 'other', 'suspended', 'moving', 'moved'];
/** Tenants that have rows in the other home. */
const inNewHome = ['elsewhere', 'moved'];

/** A home under test and another one, both full of rows, behind every door. */
export interface World extends AsyncDisposable {
  readonly model: Model;
  readonly api: TestTenantDatabase;
  readonly home: Home;
  /** A further schema of the main database, where `elsewhere` lives and to which `moved` has gone. */
  readonly newHome: Home;
  /** Where requests of a tenant are sent at first. */
  readonly placementOf: (home: Home) => Placement;
}

export interface WorldOptions {
  /** A further migration of every home, run by the owner: tables that nobody has written yet. */
  readonly migration?: string;
}

export async function makeWorld(model: Model, { migration }: WorldOptions = {}): Promise<World> {
  const runner = model === 'silo' ? await startSiloRunner() : undefined;
  const api = runner?.api ?? (await startTenantDatabase([]));
  const clients: Client[] = [];
  const connect = async (user: string, database: string, password = user): Promise<Client> => {
    const client = new Client({ host: '127.0.0.1', port: api.postgres.port, user, password, database });
    client.on('error', () => undefined);
    await client.connect();
    clients.push(client);
    return client;
  };
  const place = runner
    ? await runner.addSilo(runner.newTenant())
    : { ...api.postgres.placement, model, schema: model === 'pool' ? poolSchema : 'tenant_own' };
  const fill = async (at: Client, to: Placement, tenants: readonly string[]) => {
    const role = to.secretArn === undefined ? databaseRoles.app : to.database;
    await migrate(at, to.schema, role, migration);
    for (const tenant of tenants) await setState(at, tenant, to.schema, 'active');
    const open = () => (runner ?? { connect }).connect(role, to.database);
    const [app, untouched] = [await open(), await open()];
    const superuser = await connect('postgres', to.database, workerPostgres().password);
    return Home.fill({ ...to, app, untouched }, superuser, tenants, tenants[0] ?? '');
  };
  const owner = await connect(databaseRoles.owner, place.database);
  const newPlace: Placement = { ...api.postgres.placement, model: 'bridge', schema: 'new_home' };
  const home = await fill(owner, place, inHome);
  for (const state of ['suspended', 'moving', 'moved']) await setState(owner, state, place.schema, state);
  const newHome = await fill(api.postgres.owner, newPlace, inNewHome);
  const placementOf = (at: Home): Placement => (at === home ? place : newPlace);
  const world = { model, api, home, newHome, placementOf };
  await register(world);
  return {
    ...world,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(clients.map((client) => client.end()));
      await (runner ?? api)[Symbol.asyncDispose]();
    },
  };
}

const setState = (owner: Client, tenant: string, schema: string, state: string) =>
  owner.query('select tenancy.set_placement($1, $2, $3)', [tenant, schema, state]);

/** Exactly as a deployment does. */
async function migrate(owner: Client, schema: string, role: string, further: string | undefined): Promise<void> {
  const { tenant } = await readAllMigrations('migrations');
  const last = further === undefined ? [] : [{ version: '999_further', checksum: '', sql: further }];
  await applyMigrations(executeWith(owner), schema, forRole([...tenant, ...last], role));
}

/** The registry knows the new homes already: requests find their way by it. */
async function register({ api, home, newHome, placementOf }: Omit<World, keyof AsyncDisposable>): Promise<void> {
  for (const tenant of new Set([...inHome, ...inNewHome])) {
    const { model, cluster, database, schema, secretArn } = placementOf(inNewHome.includes(tenant) ? newHome : home);
    await api.postgres.superuser.query(
      `insert into registry.tenants (tenant_id, name, plan, model, cluster, database, schema, secret_arn)
       values ($1, $1, 'free', $2, $3, $4, $5, $6)`,
      [tenant, model, cluster, database, schema, secretArn],
    );
  }
}

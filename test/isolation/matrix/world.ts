import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { inject } from 'vitest';
import { databaseRoles, mainCluster, poolSchema } from '../../../shared/contract/index.ts';
import { applyMigrations, readAllMigrations } from '../../../shared/database/migrator.ts';
import type { Placement } from '../../../shared/tenancy/index.ts';
import { signingKey } from '../../helpers/capability.ts';
import { executeWith } from '../../helpers/database-template.ts';
import { startTenantDatabase, type TestTenantDatabase } from '../../helpers/tenant-database.ts';
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
  const api = await startTenantDatabase([]);
  const clients: Client[] = [];
  const connect = async (user: string, database: string): Promise<Client> => {
    const { port, password } = inject('postgres');
    const secret = user === 'postgres' ? password : user;
    const client = new Client({ host: '127.0.0.1', port, user, password: secret, database });
    client.on('error', () => undefined);
    await client.connect();
    clients.push(client);
    return client;
  };
  const main = api.postgres.name;
  const database = model === 'silo' ? `silo_${randomBytes(6).toString('hex')}` : main;
  const owner = model === 'silo' ? await makeDatabase(api, database, connect) : api.postgres.owner;
  const schema = model === 'pool' ? poolSchema : 'tenant_own';
  const fill = async (at: Client, place: { schema: string; database: string }, tenants: readonly string[]) => {
    await migrate(at, place.schema, migration);
    for (const tenant of tenants) await setState(at, tenant, place.schema, 'active');
    const app = await connect(databaseRoles.app, place.database);
    const untouched = await connect(databaseRoles.app, place.database);
    const superuser = await connect('postgres', place.database);
    return Home.fill({ ...place, app, untouched }, superuser, tenants, tenants[0] ?? '');
  };
  const home = await fill(owner, { schema, database }, inHome);
  const newHome = await fill(api.postgres.owner, { schema: 'new_home', database: main }, inNewHome);
  for (const state of ['suspended', 'moving', 'moved']) await setState(owner, state, schema, state);
  const world = { model, api, home, newHome, placementOf };
  await register(world);
  return {
    ...world,
    [Symbol.asyncDispose]: async () => {
      await api.server.stop();
      await Promise.all(clients.map((client) => client.end()));
      if (model === 'silo') await api.postgres.superuser.query(`drop database "${database}" with (force)`);
      await api[Symbol.asyncDispose]();
    },
  };

  function placementOf(at: Home): Placement {
    return { model, cluster: mainCluster, database: at.database, schema: at.schema };
  }
}

const setState = (owner: Client, tenant: string, schema: string, state: string) =>
  owner.query('select tenancy.set_placement($1, $2, $3)', [tenant, schema, state]);

/** Exactly as a deployment does. */
async function migrate(owner: Client, schema: string, further: string | undefined): Promise<void> {
  const { tenant } = await readAllMigrations('migrations');
  const last = further === undefined ? [] : [{ version: '999_further', checksum: '', sql: further }];
  await applyMigrations(executeWith(owner), schema, [...tenant, ...last]);
}

/** A database with the kernel and nothing else, as tenants have who have one of their own. */
async function makeDatabase(
  { postgres }: TestTenantDatabase,
  name: string,
  connect: (user: string, database: string) => Promise<Client>,
): Promise<Client> {
  await postgres.superuser.query(`create database "${name}" owner tenantry_master`);
  await postgres.superuser.query(`revoke all on database "${name}" from public`);
  await postgres.superuser.query(`grant connect on database "${name}" to ${databaseRoles.owner}, ${databaseRoles.app}`);
  await postgres.superuser.query(`grant create on database "${name}" to ${databaseRoles.owner}`);
  const owner = await connect(databaseRoles.owner, name);
  const { kernel } = await readAllMigrations('migrations');
  await applyMigrations(executeWith(owner), 'kernel', kernel);
  const keys = [{ keyId: signingKey.keyId, secret: Buffer.from(signingKey.secret).toString() }];
  await owner.query('select tenancy.set_signing_keys($1)', [JSON.stringify(keys)]);
  return owner;
}

/** The registry knows the new homes already: requests find their way by it. */
async function register({ api, model, home, newHome }: Omit<World, keyof AsyncDisposable>): Promise<void> {
  for (const tenant of new Set([...inHome, ...inNewHome])) {
    const at = inNewHome.includes(tenant) ? newHome : home;
    await api.postgres.superuser.query(
      `insert into registry.tenants (tenant_id, name, plan, model, cluster, database, schema)
       values ($1, $1, 'free', $2, $3, $4, $5)`,
      [tenant, model, mainCluster, at.database, at.schema],
    );
  }
}

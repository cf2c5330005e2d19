import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { databaseRoles, mainCluster, poolSchema } from '../../shared/contract/index.ts';
import type { Placement } from '../../shared/tenancy/index.ts';
import { workerPostgres } from './worker-postgres.ts';

/** A migrated database of a test file's own, and connections to it. */
export interface TestDatabase extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  /** Where tenants of this database's pool live. */
  readonly placement: Placement;
  readonly owner: Client;
  /** What application functions are: owns nothing, sees nothing without a capability. */
  readonly app: Client;
  readonly superuser: Client;
  /** Another connection, closed with the database. */
  connectAs(role: keyof typeof databaseRoles | 'superuser'): Promise<Client>;
  /** Puts tenants at home in the pool, in the registry and in the kernel. */
  addTenants(...tenantIds: readonly string[]): Promise<void>;
}

/** Clones the migrated template: about 30 ms. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { port, password, template } = workerPostgres();
  const name = `test_${randomBytes(6).toString('hex')}`;
  const clients: Client[] = [];
  const open = async (user: string, secret: string, database: string): Promise<Client> => {
    const client = new Client({ host: '127.0.0.1', port, user, password: secret, database });
    client.on('error', () => undefined);
    await client.connect();
    clients.push(client);
    return client;
  };
  const admin = await open('postgres', password, 'postgres');
  await cloneTemplate(admin, name, template);
  const connectAs: TestDatabase['connectAs'] = (role) =>
    role === 'superuser' ? open('postgres', password, name) : open(databaseRoles[role], databaseRoles[role], name);
  const [owner, app, superuser] = await Promise.all([connectAs('owner'), connectAs('app'), connectAs('superuser')]);
  return {
    name,
    port,
    placement: { model: 'pool', cluster: mainCluster, database: name, schema: poolSchema },
    owner,
    app,
    superuser,
    connectAs,
    addTenants: async (...tenantIds) => {
      await superuser.query(
        `insert into registry.tenants (tenant_id, name, plan, model, cluster, database, schema)
         select id, id, 'free', 'pool', $2, current_database(), $3 from unnest($1::text[]) id`,
        [tenantIds, mainCluster, poolSchema],
      );
      await owner.query(`select tenancy.set_placement(id, $2, 'active') from unnest($1::text[]) id`, [
        tenantIds,
        poolSchema,
      ]);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(clients.slice(1).map((client) => client.end()));
      await admin.query(`drop database "${name}" with (force)`);
      await admin.end();
    },
  };
}

/**
 * A template can be cloned by one session at a time. The clone belongs to the template's owner and keeps its grants, but not those
 * on the database itself, which Postgres does not copy.
 */
async function cloneTemplate(admin: Client, name: string, template: string): Promise<void> {
  await admin.query('select pg_advisory_lock(1)');
  await admin.query(`create database "${name}" template "${template}" owner tenantry_master`);
  await admin.query('select pg_advisory_unlock(1)');
  await admin.query(`revoke all on database "${name}" from public`);
  await admin.query(`grant connect on database "${name}" to ${Object.values(databaseRoles).join(', ')}`);
  await admin.query(`grant create on database "${name}" to ${databaseRoles.owner}`);
}

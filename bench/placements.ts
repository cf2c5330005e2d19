import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { System } from '../functions/migrate/system.ts';
import { makeSilo } from '../functions/migrate/silo.ts';
import { siloSecretsOf } from '../functions/migrate/silo-secrets.ts';
import { loginsOf, SecretStore } from '../local/secrets-manager/secret-store.ts';
import { startSecretsManager } from '../local/secrets-manager/server.ts';
import { superuser as master } from '../local/postgres.ts';
import {
  databaseRoles,
  environmentKeys,
  mainCluster,
  mainDatabase,
  poolSchema,
  tenantHomeName,
} from '../shared/contract/index.ts';
import { tenantHomes } from '../shared/control/index.ts';
import { migrationConnection } from '../shared/database/migration-connection.ts';
import { readAllMigrations } from '../shared/database/migrator.ts';
import { provisionSchema } from '../shared/database/provision.ts';
import { openTenantDatabase } from '../shared/database/tenant-database.ts';
import { mintCapability, type Placement, runWithTenant, type TenantContext } from '../shared/tenancy/index.ts';
import { atMost, type Bench, takeTurns } from './bench.ts';
import { benchDataApi, resourceArn, secretArn } from './data-api.ts';
import { type BenchPostgres, benchPostgres, fillProjects, signingKey, tenantOf } from './postgres.ts';

const poolTenants = 200;
const bridges = 200;
const rowsEach = 1_000;
/** Tenants whom one function serves, to see what it keeps of them. */
const manyTenants = 10_000;

/** The same queries, through shared/database and a Data API, by a tenant of the pool, one with a schema and one with a database of its own. */
export const bench: Bench = async (progress) => {
  await using postgres = await benchPostgres();
  const secrets = SecretStore.open();
  await using dataApi = await benchDataApi(postgres, loginsOf(secrets));
  progress(`filling the pool with ${poolTenants} tenants of ${rowsEach} rows`);
  await fillProjects(postgres.superuser, poolTenants, rowsEach);
  progress(`making ${bridges} schemas and a database`);
  const pool = { model: 'pool', cluster: mainCluster, database: mainDatabase, schema: poolSchema } as const;
  const bridge = { ...pool, model: 'bridge', schema: tenantHomeName('bridge') } as const;
  const owner = migrationConnection({ resourceArn, secretArn: secretArn(databaseRoles.owner), database: mainDatabase });
  for (let n = 1; n < bridges; n += 1) await provisionSchema(owner, `t_other_${n}`);
  const silo = await newSilo(secrets);
  pointOperationsAt();
  const homes = { bridge, silo };
  for (const [tenantId, placement] of Object.entries(homes)) {
    const home = { tenantId, placement, operationId: '', turn: 0 };
    await tenantHomes.make(home);
    await tenantHomes.place(home, 'active');
  }
  const database = openTenantDatabase({
    clusters: { [mainCluster]: { resourceArn, secretArn: secretArn(databaseRoles.app) } },
    registry: { cluster: mainCluster, database: mainDatabase },
  });
  const as = <T>(tenantId: string, placement: Placement, work: () => Promise<T>): Promise<T> =>
    runWithTenant(contextOf(tenantId, placement), work);
  const values = Array.from({ length: rowsEach }, (_, n) => ({ name: `project ${n + 1}` }));
  for (const [tenantId, placement] of Object.entries(homes))
    for (let from = 0; from < rowsEach; from += 100)
      await as(tenantId, placement, () =>
        database
          .insertInto('projects')
          .values(values.slice(from, from + 100))
          .execute(),
      );

  progress('measuring');
  const page = () =>
    database.selectFrom('projects').select(['id', 'name']).orderBy('created_at').orderBy('id').limit(20).execute();
  const byName = () =>
    database
      .selectFrom('projects')
      .selectAll()
      .where('name', '=', `project ${1 + Math.floor(Math.random() * rowsEach)}`)
      .execute();
  const randomTenant = () => tenantOf(1 + Math.floor(Math.random() * poolTenants));
  const before = dataApi.calls.ExecuteStatement;
  await as('silo', silo, byName);
  const calls = dataApi.calls.ExecuteStatement - before;
  const times = await takeTurns(
    {
      'one row, pool': () => as(randomTenant(), pool, byName),
      'one row, bridge': () => as('bridge', bridge, byName),
      'one row, silo': () => as('silo', silo, byName),
      'page of 20, pool': () => as(randomTenant(), pool, page),
      'page of 20, bridge': () => as('bridge', bridge, page),
      'page of 20, silo': () => as('silo', silo, page),
    },
    { rounds: 20, callsPerRound: 25 },
  );
  progress(`serving ${manyTenants} requests of one tenant, and of ${manyTenants}`);
  await settle(postgres);
  const heaps = { one: await heapAfter(1), many: await heapAfter(manyTenants) };
  return {
    rows: [
      ...Object.entries(times).map(([name, value]) => ({ case: name, value, unit: 'ms' })),
      { case: 'a query in a silo', value: calls, unit: 'calls' },
      { case: 'heap after 10,000 requests of one placement', value: heaps.one / 1024 ** 2, unit: 'MiB' },
      { case: 'heap after 10,000 requests of 10,000 placements', value: heaps.many / 1024 ** 2, unit: 'MiB' },
    ],
    ratios: [
      atMost('one row, bridge / pool', times['one row, bridge'] / times['one row, pool'], 1.2),
      atMost('one row, silo / pool', times['one row, silo'] / times['one row, pool'], 1.2),
      atMost('page, bridge / pool', times['page of 20, bridge'] / times['page of 20, pool'], 1.2),
      atMost('page, silo / pool', times['page of 20, silo'] / times['page of 20, pool'], 1.2),
      atMost('heap, 10,000 placements / one', heaps.many / heaps.one, 1.1),
    ],
  };
};

const contextOf = (tenantId: string, placement: Placement): TenantContext => ({
  tenantId,
  plan: 'pro',
  placement,
  userId: 'bench',
  roles: [],
  capability: mintCapability(signingKey, tenantId, Date.now() / 1000 + 600),
});

/** Makes a database of a tenant's own as the migration runner does. */
async function newSilo(secrets: SecretStore): Promise<Placement> {
  const endpoint = await startSecretsManager({ secrets });
  const { owner, app, authorizer, control, operations } = databaseRoles;
  const system: System = {
    clusters: [
      {
        name: mainCluster,
        resourceArn,
        masterSecretArn: secretArn(master),
        ownerSecretArn: secretArn(owner),
        database: mainDatabase,
        holdsRegistry: true,
      },
    ],
    migrations: await readAllMigrations('migrations'),
    passwords: { owner, app, authorizer, control, operations },
    signingKeys: [signingKey],
    siloSecrets: siloSecretsOf(new SecretsManagerClient({ endpoint: endpoint.url }), 'bench'),
    log: { info: () => undefined, warn: () => undefined },
  };
  const login = await makeSilo({ tenantId: 'silo', cluster: mainCluster }, system);
  await endpoint.stop();
  const home = tenantHomeName('silo');
  return { model: 'silo', cluster: mainCluster, database: home, schema: home, secretArn: login };
}

/** Puts all tenants into the pool, wherever their requests look for them. */
async function settle({ superuser }: BenchPostgres): Promise<void> {
  const tenants = Array.from({ length: manyTenants }, (_, n) => tenantOf(n + 1));
  await superuser.query(
    `insert into tenancy.placements (tenant_id, schema) select id, $2 from unnest($1::text[]) id on conflict do nothing`,
    [tenants, poolSchema],
  );
  await superuser.query(
    `insert into registry.tenants (tenant_id, name, plan, model, cluster, database, schema)
     select id, id, 'pro', 'pool', $2, $3, $4 from unnest($1::text[]) id`,
    [tenants, mainCluster, mainDatabase, poolSchema],
  );
  await superuser.query('analyze tenancy.placements, registry.tenants');
}

/** @returns bytes of heap that a function of its own has in use once it has served requests of so many tenants */
async function heapAfter(tenants: number): Promise<number> {
  const child = new URL('children/placements.ts', import.meta.url).pathname;
  const args = ['--expose-gc', child, String(manyTenants), String(tenants)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return (JSON.parse(stdout) as { heapBytes: number }).heapBytes;
}

/** The environment of the function of operations. */
function pointOperationsAt(): void {
  const login = { resourceArn, secretArn: secretArn(databaseRoles.operations) };
  process.env[environmentKeys.clusters] = JSON.stringify({ [mainCluster]: login });
  process.env[environmentKeys.registry] = JSON.stringify({ cluster: mainCluster, database: mainDatabase });
}

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { deploy as deployAll } from '../../functions/migrate/service.ts';
import { databaseRoles, mainCluster } from '../../shared/contract/index.ts';
import type { Migration } from '../../shared/database/migrator.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';
import { type SiloRunner, startSiloRunner } from '../helpers/silo-runner.ts';

let runner: SiloRunner;
let database: TestDatabase;
let logged: SiloRunner['logged'];

beforeAll(async () => {
  runner = await startSiloRunner();
  ({ logged } = runner);
});
afterAll(() => runner[Symbol.asyncDispose]());
beforeEach(async () => {
  database = await createTestDatabase();
  logged.length = 0;
});
afterEach(() => database[Symbol.asyncDispose]());

const file = (version: string, sql: string): Migration => ({ version, checksum: sql, sql });

/** Deploys once more, with more tenant migrations than there are. */
async function deploy(...more: readonly string[]): Promise<void> {
  const tenant = more.map((sql, index) => file(`90${index}`, sql));
  await deployAll(runner.systemFor(database, { tenant }));
}

describe('a deployment', () => {
  it('ends with an audit, and tells the database on which cluster it is', async () => {
    await deploy();
    expect(logged.at(-1)).toMatchObject({ message: 'audited', cluster: mainCluster, warnings: 0 });
    const { rows } = await database.superuser.query('select name from tenancy.cluster');
    expect(rows).toEqual([{ name: mainCluster }]);
  });

  it('migrates the placements of tenants of their own after the pool, and fails when one of them cannot be', async () => {
    await deploy();
    await database.owner.query(`select tenancy.provision('tenant_acme'), tenancy.provision('tenant_globex')`);
    await deploy('alter table tasks add weight int');
    const { rows } = await database.owner.query(
      `select attrelid::regclass::text as name from pg_attribute where attname = 'weight' order by 1`,
    );
    expect(rows.map(({ name }) => name as string)).toEqual(['pool.tasks', 'tenant_acme.tasks', 'tenant_globex.tasks']);
    await database.owner.query('alter table tenant_globex.tasks add colour text');
    await database.owner.query(`select tenancy.hide_values('tenant_globex.tasks')`);
    const failure = deploy('alter table tasks add weight int', 'alter table tasks add colour text');
    await expect(failure).rejects.toThrow('2 placements migrated, 1 failed. A canary failed');
    await expect(failure).rejects.toThrow('901  1 placement: tenant_globex');
  });

  it('brings the database of each cluster up to date though those of others fail, and then fails with all of these', async () => {
    const system = runner.systemFor(database, { tenant: [file('900', 'alter table tasks add weight int')] });
    const [main] = system.clusters;
    if (!main) throw new Error('There is no cluster.');
    const loginOf = (role: string): string => main.ownerSecretArn.replace(databaseRoles.owner, role);
    const locked = { ...main, name: 'locked', holdsRegistry: false, masterSecretArn: loginOf('nobody') };
    const foreign = { ...main, name: 'foreign', holdsRegistry: false, ownerSecretArn: loginOf('somebody') };
    const failure = deployAll({ ...system, clusters: [locked, main, foreign] });
    await expect(failure).rejects.toMatchObject({ name: 'ClustersError', errors: [{}, {}] });
    await expect(failure).rejects.toThrow(/^2 of 3 clusters failed[^]*locked: .*nobody[^]*foreign: .*somebody/);
    const { rows } = await database.superuser.query(
      `select from pg_attribute where attrelid = 'pool.tasks'::regclass and attname = 'weight'`,
    );
    expect(rows).toHaveLength(1);
    expect(logged.filter(({ level }) => level === 'warn')).toMatchObject([
      { cluster: 'locked' },
      { cluster: 'foreign' },
    ]);
  });

  it('fails when a migration makes a table that nothing protects, and says which and what to do', async () => {
    const failure = deploy('create table leads (tenant_id text not null, id int, primary key (tenant_id, id))');
    await expect(failure).rejects.toThrow(/^The audit of test_\w+ on the cluster main found 3 ways around/);
    await expect(failure).rejects.toThrow(`class 1  pool.leads: Row-level security is off`);
    await expect(failure).rejects.toThrow(`select tenancy.protect('pool.leads')`);
    expect(logged.at(-1)).not.toMatchObject({ message: 'audited' });
  });

  it('succeeds once the finding is mended', async () => {
    await database.superuser.query('alter table pool.tasks no force row level security');
    await expect(deploy()).rejects.toMatchObject({ findings: [{ class: 3, object: 'pool.tasks' }] });
    await deploy('alter table tasks force row level security');
  });

  it('names the findings in the databases of all clusters', async () => {
    await using distant = await createTestDatabase();
    const system = runner.systemFor(database);
    const [main] = system.clusters;
    if (!main) throw new Error('There is no cluster.');
    const second = { ...main, name: 'second', database: distant.name, holdsRegistry: false };
    for (const { superuser } of [database, distant])
      await superuser.query('alter table pool.tasks no force row level security');
    const failure = deployAll({ ...system, clusters: [main, second] });
    await expect(failure).rejects.toMatchObject({ name: 'AuditError', findings: [{ class: 3 }, { class: 3 }] });
    await expect(failure).rejects.toThrow(
      `${database.name} on the cluster main, ${distant.name} on the cluster second`,
    );
  });

  it('logs a warning, and goes on', async () => {
    await deploy(`alter policy tenant on tasks using (tenant_id = tenancy.current_tenant('pool'))`);
    expect(logged.at(-2)).toMatchObject({
      level: 'warn',
      message: 'audit warning',
      class: 21,
      object: 'policy tenant on pool.tasks',
    });
    expect(logged.at(-1)).toMatchObject({ message: 'audited', warnings: 1 });
  });

  it('gathers findings that are more than a response of the Data API holds', async () => {
    const tables = `do $$ begin for n in 1 .. 1600 loop
      execute format('create table unprotected_%s (tenant_id text not null, id int, primary key (tenant_id, id))', n);
    end loop; end $$`;
    const error: unknown = await deploy(tables).catch((failure: unknown) => failure);
    expect(error).toMatchObject({ findings: { length: 4_800 } });
    expect(JSON.stringify(error).length).toBeGreaterThan(1024 * 1024);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditDatabase, auditWhereabouts } from '../../functions/migrate/kernel.ts';
import { deploy } from '../../functions/migrate/service.ts';
import { asOwner, type Cluster } from '../../functions/migrate/system.ts';
import { mainCluster, tenantHomeName } from '../../shared/contract/index.ts';
import { compareHomes, type DistantDatabase, findHomeless } from '../../shared/database/compare-homes.ts';
import type { Execute } from '../../shared/database/migrator.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';
import { executeWith, master } from '../helpers/database-template.ts';
import { type SiloRunner, startSiloRunner } from '../helpers/silo-runner.ts';

let runner: SiloRunner;
/** A database that the tenants of another cluster share. */
let distant: TestDatabase;
beforeAll(async () => {
  runner = await startSiloRunner();
  distant = await createTestDatabase();
});
afterAll(async () => {
  await distant[Symbol.asyncDispose]();
  await runner[Symbol.asyncDispose]();
});

const second = (): DistantDatabase => ({
  cluster: 'second',
  database: distant.name,
  execute: executeWith(distant.owner),
});
const registry: Execute = (sql, parameters) => executeWith(runner.api.postgres.owner)(sql, parameters);
const register = (tenantId: string, state = 'active', cluster = 'second') =>
  runner.api.postgres.superuser.query(
    `insert into registry.tenants (tenant_id, name, plan, state, model, cluster, database, schema)
     values ($1, $1, 'free', $2, 'pool', $3, $4, 'pool')`,
    [tenantId, state, cluster, distant.name],
  );
const place = (tenantId: string, state = 'active') =>
  distant.owner.query(`select tenancy.set_placement($1, 'pool', $2)`, [tenantId, state]);
const cluster = (): Cluster => {
  const [main] = runner.system.clusters;
  if (!main) throw new Error('There is no cluster.');
  return main;
};

describe('a database of another cluster, and the registry', () => {
  it.each<[string, string, () => Promise<unknown>]>([
    ['has a tenant here that is not at home', 'where it is not at home', () => register('lost')],
    ['does not know a tenant that is at home here', 'does not know it', () => place('ghost')],
    [
      'has a tenant elsewhere that is at home here, too',
      'has it elsewhere',
      async () => {
        await runner.api.postgres.addTenants('double');
        await place('double', 'suspended');
      },
    ],
    [
      'has a tenant in another schema than it is at home in',
      'has it elsewhere',
      async () => {
        await register('next-door');
        await distant.owner.query(`select tenancy.set_placement('next-door', 'other', 'active')`);
      },
    ],
  ])('disagree where it %s, until the remedies have run', async (_, problem, plant) => {
    await plant();
    const findings = await compareHomes(registry, second());
    expect(findings.map((finding) => [finding.class, finding.severity])).toContainEqual([33, 'error']);
    expect(findings.map((finding) => finding.problem).join()).toContain(problem);
    // Who has to leave one schema first comes into the other one by the second round.
    for (let round = 0; round < 2; round += 1)
      for (const { remedy } of await compareHomes(registry, second())) await distant.owner.query(remedy);
    expect(await compareHomes(registry, second())).toEqual([]);
  });

  it('agree on who is served, suspended, on its way or gone', async () => {
    await register('served');
    await place('served');
    await register('asleep', 'suspended');
    await place('asleep', 'suspended');
    await register('moves');
    await place('moves', 'moving');
    await register('comes', 'onboarding');
    await register('leaves', 'offboarding');
    await place('left', 'moved');
    expect(await compareHomes(registry, second())).toEqual([]);
  });

  it('agree though a tenant comes while they are compared', async () => {
    let hasCome = false;
    const meanwhile: Execute = async (sql, parameters) => {
      if (!hasCome) {
        hasCome = true;
        await register('late');
        await place('late');
      }
      return registry(sql, parameters);
    };
    expect(await compareHomes(meanwhile, second())).toEqual([]);
    expect(hasCome).toBe(true);
  });

  it('are compared to the last of thousands of tenants', async () => {
    await runner.api.postgres.superuser.query(
      `insert into registry.tenants (tenant_id, name, plan, model, cluster, database, schema)
       select 'many-' || n, 'Many', 'free', 'pool', 'second', $1, 'pool' from generate_series(1, 4500) n`,
      [distant.name],
    );
    await distant.superuser.query(
      `insert into tenancy.placements (tenant_id, schema) select 'many-' || n, 'pool' from generate_series(1, 4500) n where n <> 3000`,
    );
    expect(await compareHomes(registry, second())).toMatchObject([{ object: 'tenant many-3000' }]);
    await place('many-3000');
    expect(await compareHomes(registry, second())).toEqual([]);
  });
});

describe('a database of a tenant’s own', () => {
  it('is compared by its audit', async () => {
    const tenantId = runner.newTenant();
    const { database } = await runner.addSilo(tenantId);
    await auditDatabase(cluster(), database, runner.system);
    const owner = asOwner(cluster(), database);
    await owner(`select tenancy.set_placement('${tenantId}', '${database}', 'moved')`);
    const failure = auditDatabase(cluster(), database, runner.system);
    await expect(failure).rejects.toMatchObject({ findings: [{ class: 33, object: `tenant ${tenantId}` }] });
    await expect(deploy(runner.system)).rejects.toThrow('class 33');
    await owner(`select tenancy.set_placement('${tenantId}', '${database}', 'suspended')`);
    await auditDatabase(cluster(), database, runner.system);
  });

  it('is looked into when its tenant lives elsewhere, and only then', async () => {
    const tenantId = runner.newTenant();
    const { database } = await runner.addSilo(tenantId);
    await auditWhereabouts(runner.system);
    const { owner, superuser, placement } = runner.api.postgres;
    await owner.query(`select tenancy.set_placement($1, 'pool', 'active')`, [tenantId]);
    await superuser.query(
      `update registry.tenants set model = 'pool', database = $2, schema = 'pool', secret_arn = null where tenant_id = $1`,
      [tenantId, placement.database],
    );
    const error: unknown = await auditWhereabouts(runner.system).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      message: expect.stringContaining(`${database} on the cluster ${mainCluster}`),
      findings: [{ class: 33, object: `tenant ${tenantId}` }],
    });
    await expect(deploy(runner.system)).rejects.toThrow('the registry has it elsewhere');
    await asOwner(cluster(), database)(`select tenancy.set_placement('${tenantId}', '${database}', 'moved')`);
    await auditWhereabouts(runner.system);
  });

  it('is named with all others that are so', async () => {
    const { owner, superuser, placement } = runner.api.postgres;
    const silos: { tenantId: string; database: string }[] = [];
    for (const tenantId of [runner.newTenant(), runner.newTenant()]) {
      silos.push({ tenantId, database: (await runner.addSilo(tenantId)).database });
      await owner.query(`select tenancy.set_placement($1, 'pool', 'active')`, [tenantId]);
      await superuser.query(
        `update registry.tenants set model = 'pool', database = $2, schema = 'pool', secret_arn = null where tenant_id = $1`,
        [tenantId, placement.database],
      );
    }
    const error: unknown = await auditWhereabouts(runner.system).catch((thrown: unknown) => thrown);
    for (const { tenantId, database } of silos) {
      expect(error).toMatchObject({ message: expect.stringContaining(`${database} on the cluster ${mainCluster}`) });
      expect(error).toMatchObject({
        findings: expect.arrayContaining([expect.objectContaining({ object: `tenant ${tenantId}` })]),
      });
      await asOwner(cluster(), database)(`select tenancy.set_placement('${tenantId}', '${database}', 'moved')`);
    }
    await auditWhereabouts(runner.system);
  });

  it('is none that is only called so', async () => {
    const { superuser } = runner.api.postgres;
    const tenantId = runner.newTenant();
    await runner.api.postgres.addTenants(tenantId);
    await superuser.query(`create database ${tenantHomeName(tenantId)} owner ${master}`);
    await auditWhereabouts(runner.system);
  });
});

it('tenants in a database that the stage does not have are named, and no deployment fails for it', async () => {
  await register('far-off', 'active', 'given-up');
  const findings = await findHomeless(registry, [second(), { cluster: mainCluster, database: cluster().database }]);
  expect(findings).toContainEqual({
    class: 33,
    severity: 'error',
    object: 'tenant far-off',
    problem: `The registry has the tenant in the database ${distant.name} on the cluster given-up, and there is none.`,
    remedy: '-- Restore it, or offboard its tenant: tenant delete far-off --no-export.',
  });
  runner.logged.length = 0;
  await auditWhereabouts(runner.system);
  expect(runner.logged).toContainEqual(expect.objectContaining({ level: 'warn', object: 'tenant far-off' }));
});

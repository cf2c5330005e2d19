import { LocalDurableTestRunner } from '@aws/durable-execution-sdk-js-testing';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { migrateFleetFunction } from '../../functions/migrate-fleet/durable-function.ts';
import { deploy as deployAll, goOn } from '../../functions/migrate/service.ts';
import { statusOf } from '../../functions/migrate/status.ts';
import type { System } from '../../functions/migrate/system.ts';
import { mainCluster, tenantHomeName } from '../../shared/contract/index.ts';
import type { Migration } from '../../shared/database/migrator.ts';
import { beginRun, type Progress, progressSchema } from '../../shared/fleet/index.ts';
import { file, twoSilos, weight } from '../helpers/two-silos.ts';

const silos = twoSilos();
beforeAll(() => LocalDurableTestRunner.setupTestEnvironment());
afterAll(() => LocalDurableTestRunner.teardownTestEnvironment());
afterEach(() => {
  vi.restoreAllMocks();
});

const byWeight: Migration = {
  ...file('901_by_weight', 'create index concurrently if not exists by_weight on tasks (tenant_id, weight)'),
  mode: 'alone',
};

/** Somebody is at the index in a placement, and does not come to an end. */
async function occupy(name: string, placement: string): Promise<void> {
  await silos.query(
    name,
    `insert into tenancy.migrations (target, version, checksum, state, run, started_at)
     values ('${placement}', '${byWeight.version}', 'x', 'running', 'somebody', now() + interval '1 day')`,
  );
}

/** A run for which time is up as soon as so many databases of these tenants have been audited. */
function timedRun(more: readonly Migration[], most: number): { system: System; until: number } {
  const now = Date.now;
  let passedMs = 0;
  vi.spyOn(Date, 'now').mockImplementation(() => now() + passedMs);
  const system = silos.runner.systemFor(silos.database, { tenant: more });
  const names = silos.tenants.map(tenantHomeName);
  const info: System['log']['info'] = (message, details) => {
    system.log.info(message, details);
    if (silos.audited().filter((name) => names.includes(String(name))).length >= most) passedMs = 3_600_000;
  };
  return { system: { ...system, log: { ...system.log, info } }, until: Date.now() + 20_000 };
}

describe('a fleet for which a deployment has no time', () => {
  const run = async (system: System, begun: Progress, untils: number[]) => {
    const durable = migrateFleetFunction(async (_name, progress) => {
      const until = untils.shift() ?? Number.POSITIVE_INFINITY;
      // As Lambda hands it over.
      return JSON.parse(JSON.stringify(await goOn(system, progressSchema.parse(progress), until))) as unknown;
    }, 1);
    const execution = await new LocalDurableTestRunner({ handlerFunction: durable }).run({
      payload: { functionName: 'migrate', progress: begun },
    });
    return {
      status: execution.getStatus(),
      error: execution.getStatus() === 'FAILED' ? execution.getError() : undefined,
    };
  };

  it('is what is left behind the pools, and goes on a slice at a time until all is done', async () => {
    const system = silos.runner.systemFor(silos.database, { tenant: [weight] });
    await silos.database.owner.query(`select tenancy.provision('t_bridge')`);
    // The pool needs nothing yet.
    expect(await deployAll(silos.runner.systemFor(silos.database), 0)).toMatchObject({
      phase: 'silos',
      silos: { done: 0 },
    });
    expect(await goOn(system, beginRun(), 0)).toMatchObject({ phase: 'shared', shared: { done: 0 } });
    expect(await silos.having(silos.tenants)).toEqual([]);
    expect(await run(system, beginRun(), [0, 0])).toEqual({ status: 'SUCCEEDED' });
    expect(await silos.having(silos.tenants)).toEqual(silos.tenants);
    const columns = await silos.query(
      silos.database.name,
      `select attrelid::regclass::text as name from pg_attribute where attname = 'weight' order by 1`,
    );
    expect(columns).toEqual([{ name: 'pool.tasks' }, { name: 't_bridge.tasks' }]);
  });

  it('goes on behind the last tenant that was done', { timeout: 60_000 }, async () => {
    await silos.addTenants(4);
    const { system, until } = timedRun([weight], 4);
    const progress = await goOn(system, beginRun(), until + 1_800_000);
    expect(progress).toMatchObject({ phase: 'silos', after: silos.tenants[3], silos: { failed: 0 } });
    expect(await silos.having(silos.tenants)).toEqual(silos.tenants.slice(0, 4));
    silos.runner.logged.length = 0;
    expect(await goOn(system, progress, Number.POSITIVE_INFINITY)).toMatchObject({ phase: 'done' });
    expect(silos.audited().sort()).toEqual(silos.tenants.slice(4).map(tenantHomeName).sort());
  });

  it(
    'leaves no database behind for one that takes for ever, and comes back to that one',
    { timeout: 90_000 },
    async () => {
      await silos.addTenants(4);
      const [stuck = '', ...others] = silos.tenants;
      await occupy(tenantHomeName(stuck), tenantHomeName(stuck));
      const { system, until } = timedRun([weight, byWeight], others.length);
      const progress = await goOn(system, beginRun(), until + 1_800_000, 5_000);
      expect(progress).toMatchObject({ phase: 'silos', silos: { failed: 0 }, left: [stuck] });
      expect(silos.audited()).toEqual(expect.arrayContaining(others.map(tenantHomeName)));
      await silos.query(tenantHomeName(stuck), `delete from tenancy.migrations where run = 'somebody'`);
      expect(await goOn(system, progress, Number.POSITIVE_INFINITY)).toMatchObject({ phase: 'done', left: [] });
      expect(await silos.having(silos.tenants)).toEqual(silos.tenants);
    },
  );

  it('leaves no database of a tenant’s own behind for a schema that takes for ever', { timeout: 90_000 }, async () => {
    await silos.database.owner.query(`select tenancy.provision('t_bridge')`);
    await occupy(silos.database.name, 't_bridge');
    const { system, until } = timedRun([weight, byWeight], silos.tenants.length);
    const progress = await goOn(system, beginRun(), until);
    expect(progress).toMatchObject({ phase: 'shared', shared: { failed: 0 } });
    expect(await silos.having(silos.tenants)).toEqual(silos.tenants);
    await silos.query(silos.database.name, `delete from tenancy.migrations where run = 'somebody'`);
    expect(await goOn(system, progress, Number.POSITIVE_INFINITY)).toMatchObject({ phase: 'done' });
  });

  it('takes in a database that was registered behind its back', { timeout: 60_000 }, async () => {
    const [late = '', other = ''] = silos.tenants;
    const register = (secret: string): Promise<unknown> =>
      silos.database.superuser.query(
        `update registry.tenants set secret_arn = ${secret}, api_key = secret_arn, updated_at = now() where tenant_id = $1`,
        [late],
      );
    await register('null');
    const system = silos.runner.systemFor(silos.database, { tenant: [weight] });
    const { siloSecrets } = system;
    const read: typeof siloSecrets.read = async (tenantId, secretArn) => {
      if (tenantId === other) await register('coalesce(secret_arn, api_key)');
      return siloSecrets.read(tenantId, secretArn);
    };
    const progress = await goOn({ ...system, siloSecrets: { ...siloSecrets, read } }, beginRun(), Infinity);
    expect(progress).toMatchObject({ phase: 'done', silos: { done: 2, failed: 0 } });
    expect(await silos.having(silos.tenants)).toEqual(silos.tenants);
  });

  it('is handed on with the pool, once what tenants share is audited', { timeout: 60_000 }, async () => {
    const system = silos.runner.systemFor(silos.database, { tenant: [weight] });
    const progress = await deployAll(system, 0);
    expect(progress).toMatchObject({ phase: 'shared', shared: { done: 0, failed: 0 } });
    expect(silos.audited()).toEqual([silos.database.name]);
    expect(await goOn(system, progress, Infinity)).toMatchObject({ phase: 'done' });
    await silos.query(silos.database.name, 'alter table pool.projects no force row level security');
    const other = silos.runner.systemFor(silos.database, {
      tenant: [weight, file('902', 'alter table tasks add height int')],
    });
    await expect(deployAll(other, 0)).rejects.toMatchObject({ name: 'AuditError', findings: [{ class: 3 }] });
  });

  it('fails in the end with what has failed, once all others are done', async () => {
    const [broken = '', whole = ''] = silos.tenants;
    const name = tenantHomeName(broken);
    await silos.query(name, `alter table ${name}.tasks add weight text; select tenancy.hide_values('${name}.tasks')`);
    const { status, error } = await run(silos.runner.systemFor(silos.database, { tenant: [weight] }), beginRun(), [0]);
    expect(status).toBe('FAILED');
    expect(error?.errorMessage).toContain(`900_weight  1 placement: ${name}`);
    expect(await silos.having([whole])).toEqual([whole]);
  });

  it('counts each database that fails once, however many there are and though the registry has learnt something of it', async () => {
    const { superuser } = silos.database;
    await superuser.query(
      `insert into registry.tenants (tenant_id, name, plan, model, cluster, database, schema, secret_arn, updated_at)
       select id, id, 'free', 'silo', $1, id, id, 'none', case when n > 200 then now() else now() - interval '1 hour' end
       from (select n, 'gone-' || n as id from generate_series(101, 205) n) g`,
      [mainCluster],
    );
    const [since = ''] = (
      await superuser.query<{ since: string }>(`select (now() - interval '1 minute')::text as since`)
    ).rows.map((row) => row.since);
    const begun: Progress = { ...beginRun(), phase: 'silos', mostFailures: 200, since };
    const progress = await goOn(silos.runner.systemFor(silos.database), begun, Number.POSITIVE_INFINITY);
    expect(progress).toMatchObject({ phase: 'done', pass: 'done', silos: { failed: 105 }, missing: 105 });
  });

  it('ends when more databases fail than a run puts up with', async () => {
    const { superuser } = silos.database;
    await superuser.query(
      `insert into registry.tenants (tenant_id, name, plan, model, cluster, database, schema, secret_arn)
       select id, id, 'free', 'silo', $1, id, id, 'none' from (select 'gone-' || n as id from generate_series(10, 40) n) g`,
      [mainCluster],
    );
    const failure = goOn(silos.runner.systemFor(silos.database), beginRun(), Number.POSITIVE_INFINITY);
    await expect(failure).rejects.toMatchObject({ report: { stopped: 'budget', failed: 12 } });
    await expect(failure).rejects.toThrow('Too many failed, so the rest was left alone');
  });
});

describe('the status of a fleet', () => {
  it('says of each database that tenants share, and of each other that is not as it should be, what is missing', async () => {
    const [broken = '', whole = ''] = silos.tenants;
    const name = tenantHomeName(broken);
    const system = silos.runner.systemFor(silos.database, { tenant: [weight] });
    await silos.query(name, `alter table ${name}.tasks add weight text; select tenancy.hide_values('${name}.tasks')`);
    await expect(goOn(system, beginRun(), Number.POSITIVE_INFINITY)).rejects.toThrow('900_weight');
    expect(await silos.having([whole])).toEqual([whole]);
    expect(await statusOf(system, Number.POSITIVE_INFINITY)).toMatchObject({
      databases: [
        { plan: { steps: [], placements: 1 }, failed: [] },
        {
          database: expect.stringContaining(name),
          plan: { steps: [{ version: '900_weight' }] },
          failed: [{ failed: '900_weight' }],
        },
      ],
    });
    const { databases, after } = await statusOf(system, 0);
    expect({ databases: databases.length, after }).toEqual({ databases: 1, after: '' });
    expect(await statusOf(system, Number.POSITIVE_INFINITY, broken)).toEqual({ databases: [] });
  });

  it('says which database cannot be asked', async () => {
    await silos.database.superuser.query(
      `insert into registry.tenants (tenant_id, name, plan, model, cluster, database, schema, secret_arn)
       values ('zz-gone', 'Gone', 'free', 'silo', $1, 't_zz_gone', 't_zz_gone', 'none'),
         ('zz-lost', 'Lost', 'free', 'silo', 'former', 't_zz_lost', 't_zz_lost', 'none')`,
      [mainCluster],
    );
    const { databases } = await statusOf(silos.runner.systemFor(silos.database), Number.POSITIVE_INFINITY);
    expect(databases.slice(1)).toEqual([
      { database: expect.stringContaining('t_zz_gone'), error: expect.stringContaining('does not exist') },
      { database: 't_zz_lost on the cluster former', error: expect.stringContaining('There is no cluster') },
    ]);
  });
});

import { LocalDurableTestRunner } from '@aws/durable-execution-sdk-js-testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { migrateFleetFunction } from '../../functions/migrate-fleet/durable-function.ts';
import { beginRun, type Progress, progressSchema } from '../../functions/migrate/progress.ts';
import { deploy as deployAll, goOn } from '../../functions/migrate/service.ts';
import { dropSilo, makeSilo } from '../../functions/migrate/silo.ts';
import { statusOf } from '../../functions/migrate/status.ts';
import type { System } from '../../functions/migrate/system.ts';
import { databaseRoles, mainCluster, tenantHomeName, tenantTag } from '../../shared/contract/index.ts';
import type { Migration } from '../../shared/database/migrator.ts';
import { closeDatabases, serverDatabases } from '../../shared/database/server-databases.ts';
import { executeWith, master } from '../helpers/database-template.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';
import { type SiloRunner, startSiloRunner } from '../helpers/silo-runner.ts';

let runner: SiloRunner;
/** The one that tenants share, with the registry. */
let database: TestDatabase;
/** Tenants with databases of their own, in the order in which a deployment takes them. */
let tenants: string[];

beforeAll(async () => {
  await LocalDurableTestRunner.setupTestEnvironment();
  runner = await startSiloRunner();
});
afterAll(async () => {
  await runner[Symbol.asyncDispose]();
  await LocalDurableTestRunner.teardownTestEnvironment();
});
beforeEach(async () => {
  database = await createTestDatabase();
  tenants = [];
  runner.logged.length = 0;
  await addTenants(2);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await database[Symbol.asyncDispose]();
});

const file = (version: string, sql: string): Migration => ({ version, checksum: sql, sql });

async function addTenants(count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1) {
    const tenantId = runner.newTenant();
    await runner.addSilo(tenantId, database);
    tenants.push(tenantId);
  }
  tenants.sort();
  // Long before any run: what has changed since one began is looked at twice.
  await database.superuser.query(`update registry.tenants set updated_at = now() - interval '1 hour'`);
}

const byWeight: Migration = {
  ...file('901_by_weight', 'create index concurrently if not exists by_weight on tasks (tenant_id, weight)'),
  mode: 'alone',
};

/** Somebody is at the index in a placement, and does not come to an end. */
async function occupy(name: string, placement: string): Promise<void> {
  await query(
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
  const system = runner.systemFor(database, { tenant: more });
  const names = tenants.map(tenantHomeName);
  const info: System['log']['info'] = (message, details) => {
    system.log.info(message, details);
    if (audited().filter((name) => names.includes(String(name))).length >= most) passedMs = 3_600_000;
  };
  return { system: { ...system, log: { ...system.log, info } }, until: Date.now() + 20_000 };
}

const weight = file('900_weight', 'alter table tasks add weight int');
const deploy = (...tenant: readonly Migration[]) => deployAll(runner.systemFor(database, { tenant }));

const query = async (name: string, sql: string): Promise<object[]> => {
  const owner = await runner.connect(databaseRoles.owner, name);
  return (await owner.query<object>(sql)).rows;
};
/** Of these tenants, those whose tables have the column of the migration. */
const having = async (tenantIds: readonly string[]): Promise<string[]> => {
  const found: string[] = [];
  for (const tenantId of tenantIds) {
    const rows = await query(tenantHomeName(tenantId), `select from pg_attribute where attname = 'weight'`);
    if (rows.length > 0) found.push(tenantId);
  }
  return found;
};
const audited = (): unknown[] =>
  runner.logged.filter(({ message }) => message === 'audited').map(({ database: name }) => name);

describe('a deployment', () => {
  it('brings the databases that tenants share up to date, then those that are one tenant’s alone, each with its audit', async () => {
    const kernel = file(
      '900_answer',
      `create function tenancy.answer() returns integer language sql as 'select 42';
       grant execute on function tenancy.answer to tenantry_app;
       select tenancy.seal('tenancy.answer()');`,
    );
    const system = runner.systemFor(database, { tenant: [weight], kernel: [kernel] });
    expect(await deployAll(system)).toMatchObject({ phase: 'done', silos: { done: 2, failed: 0 } });
    expect(await having(tenants)).toEqual(tenants);
    expect(audited()[0]).toBe(database.name);
    expect(audited().slice(1).sort()).toEqual(tenants.map(tenantHomeName).sort());
    for (const [name, role] of [
      [database.name, databaseRoles.app],
      ...tenants.map((tenantId) => [tenantHomeName(tenantId), tenantHomeName(tenantId)]),
    ] as const)
      expect(await query(name, `select callers from tenancy.sealed where object = 'tenancy.answer()'`)).toEqual([
        { callers: [role] },
      ]);
    expect(await deployAll(system)).toMatchObject({ phase: 'done', silos: { done: 0, failed: 0 } });
  });

  it('is no harm to another one at the same time', { timeout: 120_000 }, async () => {
    const system = runner.systemFor(database, { tenant: [weight] });
    for (let time = 0; time < 2; time += 1) {
      const both = await Promise.all([deployAll(system), deployAll(system)]);
      expect(both).toMatchObject([1, 2].map(() => ({ phase: 'done', shared: { failed: 0 }, silos: { failed: 0 } })));
    }
    expect(await having(tenants)).toEqual(tenants);
  });

  it(
    'makes the database of a tenant once, though it is asked twice at the same time',
    { timeout: 60_000 },
    async () => {
      for (let time = 0; time < 3; time += 1) {
        const silo = { tenantId: runner.newTenant(), cluster: mainCluster };
        const [one, other] = await Promise.all([makeSilo(silo, runner.system), makeSilo(silo, runner.system)]);
        expect(one).toBe(other);
      }
    },
  );

  it('keeps the logins of tenants out of the databases that a server comes with', async () => {
    await deploy();
    for (const tenantId of tenants) {
      const name = tenantHomeName(tenantId);
      for (const other of serverDatabases)
        await expect(runner.connect(name, other)).rejects.toMatchObject({ code: '42501' });
    }
  });

  it('goes on where it may not close a database, and says which that is', async () => {
    const { superuser, name } = database;
    const [its, foreign] = [`${name}_its`, `${name}_foreign`];
    await superuser.query(`create database ${its} owner ${master}`);
    await superuser.query(`create database ${foreign}`);
    const execute = executeWith(await runner.connect(master, name));
    expect(await closeDatabases(execute, [its, foreign])).toEqual([foreign]);
    for (const each of [its, foreign]) await superuser.query(`drop database ${each}`);
  });

  it('gives a tenant’s role the password that its secret has now', async () => {
    const [tenantId = ''] = tenants;
    const name = tenantHomeName(tenantId);
    const secret = runner.secrets.list().find(({ tags }) => tags['tenantry:tenant'] === tenantId);
    await runner.secrets.put(secret?.arn ?? '', JSON.stringify({ username: name, password: 'rotated' }), secret?.tags);
    await expect(runner.connect(name, name)).rejects.toMatchObject({ code: '28P01' });
    await deploy();
    await runner.connect(name, name);
  });

  it('makes a login anew that somebody has deleted, and the registry knows it', async () => {
    const [tenantId = ''] = tenants;
    const name = tenantHomeName(tenantId);
    const loginOf = () => runner.secrets.list().find(({ tags }) => tags[tenantTag] === tenantId);
    const deleted = loginOf()?.arn ?? '';
    await runner.secrets.delete(deleted);
    expect(await deploy()).toMatchObject({ phase: 'done', silos: { failed: 0 } });
    await runner.connect(name, name);
    const { rows } = await database.superuser.query('select secret_arn from registry.tenants where tenant_id = $1', [
      tenantId,
    ]);
    expect(rows).toEqual([{ secret_arn: loginOf()?.arn }]);
    expect(rows).not.toEqual([{ secret_arn: deleted }]);
    expect(runner.logged).toContainEqual(expect.objectContaining({ level: 'warn', database: name, deleted }));
  });

  it.each([
    [
      'a table that is not as migrations made it',
      async (name: string) => {
        await query(name, `alter table ${name}.tasks add weight text; select tenancy.hide_values('${name}.tasks')`);
      },
      '900_weight  1 placement',
    ],
    [
      'a login of another role',
      async (name: string) => {
        const secret = runner.secrets.list().find(({ value }) => value.includes(name));
        await runner.secrets.put(secret?.arn ?? '', JSON.stringify({ username: 't_somebody', password: 'x' }));
      },
      'is the login of t_somebody',
    ],
    [
      'a way around row-level security',
      async (name: string) => {
        await query(name, `alter table ${name}.projects no force row level security`);
      },
      'found a way around row-level security',
    ],
    [
      'a kernel that somebody has changed',
      async (name: string) => {
        await query(name, `update tenancy.migrations set checksum = 'other' where version = '003_run'`);
      },
      'Migration 003_run of kernel was changed',
    ],
  ])('with %s fails, says so, and leaves no other database behind', async (_, breakIt, says) => {
    const [broken = '', whole = ''] = tenants;
    await breakIt(tenantHomeName(broken));
    const failure = deploy(weight);
    await expect(failure).rejects.toMatchObject({ name: 'FleetError', report: { done: 1, failed: 1 } });
    await expect(failure).rejects.toThrow(says);
    expect(await having([whole])).toEqual([whole]);
  });

  it('does not fail with a database that is not there, but says what to do, and goes on with the others', async () => {
    const [gone = '', whole = ''] = tenants;
    const name = tenantHomeName(gone);
    await database.superuser.query(`drop database "${name}" with (force)`);
    expect(await deploy(weight)).toMatchObject({ phase: 'done', silos: { done: 1, failed: 1 }, missing: 1 });
    expect(await having([whole])).toEqual([whole]);
    const error = `There is no database ${name}. Restore it, or offboard its tenant: tenant delete ${gone} --no-export.`;
    const failures = [expect.objectContaining({ placement: name, error })];
    expect(runner.logged).toContainEqual({ level: 'warn', message: 'placements failed', failures });

    const other = tenantHomeName(whole);
    await query(other, `alter table ${other}.projects no force row level security`);
    await expect(deploy(weight)).rejects.toMatchObject({ name: 'FleetError', report: { failed: 2 } });
  });

  it.each([
    ['before', 'its login is read'],
    ['after', 'its login was read'],
  ])('neither fails with a database that is dropped %s %s, nor leaves a role or a login for it', async (when) => {
    const [leaving = ''] = tenants;
    const system = runner.systemFor(database, { tenant: [weight] });
    const { siloSecrets } = system;
    const read: typeof siloSecrets.read = async (tenantId, secretArn) => {
      const leave = async (): Promise<void> => {
        if (tenantId !== leaving) return;
        await database.superuser.query(`update registry.tenants set state = 'offboarding' where tenant_id = $1`, [
          leaving,
        ]);
        await dropSilo({ tenantId, cluster: mainCluster }, system);
      };
      if (when === 'before') await leave();
      const password = await siloSecrets.read(tenantId, secretArn);
      if (when === 'after') await leave();
      return password;
    };
    const progress = await deployAll({ ...system, siloSecrets: { ...siloSecrets, read } });
    expect(progress).toMatchObject({ phase: 'done', silos: { done: 1, failed: 0 } });
    const { rows } = await database.superuser.query('select from pg_roles where rolname = $1', [
      tenantHomeName(leaving),
    ]);
    expect(rows).toEqual([]);
    expect(runner.secrets.list().filter(({ tags }) => tags[tenantTag] === leaving)).toEqual([]);
  });

  it('takes nothing from a tenant who comes with the id of one that has just left', async () => {
    const [id = ''] = tenants;
    const system = runner.systemFor(database, { tenant: [weight] });
    const { siloSecrets } = system;
    const silo = { tenantId: id, cluster: mainCluster };
    const read: typeof siloSecrets.read = async (tenantId, secretArn) => {
      const password = await siloSecrets.read(tenantId, secretArn);
      if (tenantId !== id) return password;
      await dropSilo(silo, system);
      await database.superuser.query(
        `update registry.tenants set state = 'onboarding', secret_arn = null where tenant_id = $1`,
        [id],
      );
      await siloSecrets.ensure(silo);
      return password;
    };
    const progress = await deployAll({ ...system, siloSecrets: { ...siloSecrets, read } });
    expect(progress).toMatchObject({ phase: 'done', silos: { done: 1, failed: 0 } });
    expect(runner.secrets.list().filter(({ tags }) => tags[tenantTag] === id)).toHaveLength(1);
  });

  it('leaves alone what a tenant who leaves has left, and makes nothing anew', async () => {
    const [leaving = ''] = tenants;
    const { superuser } = database;
    await superuser.query(`update registry.tenants set state = 'offboarding' where tenant_id = $1`, [leaving]);
    await superuser.query(`drop database "${tenantHomeName(leaving)}" with (force)`);
    expect(await deploy(weight)).toMatchObject({ phase: 'done', silos: { done: 1, failed: 0 } });
    const { rows } = await superuser.query('select from pg_database where datname = $1', [tenantHomeName(leaving)]);
    expect(rows).toEqual([]);
  });

  it('does not begin with databases of tenants’ own when the placements of the others fail', async () => {
    const { owner } = database;
    await owner.query(`select tenancy.provision('t_bridge')`);
    await owner.query(`alter table t_bridge.tasks add weight text; select tenancy.hide_values('t_bridge.tasks')`);
    await expect(deploy(weight)).rejects.toThrow('A canary failed');
    expect(await having(tenants)).toEqual([]);
  });
});

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
    const system = runner.systemFor(database, { tenant: [weight] });
    await database.owner.query(`select tenancy.provision('t_bridge')`);
    // The pool needs nothing yet.
    expect(await deployAll(runner.systemFor(database), 0)).toMatchObject({ phase: 'silos', silos: { done: 0 } });
    expect(await goOn(system, beginRun(), 0)).toMatchObject({ phase: 'shared', shared: { done: 0 } });
    expect(await having(tenants)).toEqual([]);
    expect(await run(system, beginRun(), [0, 0])).toEqual({ status: 'SUCCEEDED' });
    expect(await having(tenants)).toEqual(tenants);
    const columns = await query(
      database.name,
      `select attrelid::regclass::text as name from pg_attribute where attname = 'weight' order by 1`,
    );
    expect(columns).toEqual([{ name: 'pool.tasks' }, { name: 't_bridge.tasks' }]);
  });

  it('goes on behind the last tenant that was done', { timeout: 60_000 }, async () => {
    await addTenants(4);
    const { system, until } = timedRun([weight], 4);
    const progress = await goOn(system, beginRun(), until + 1_800_000);
    expect(progress).toMatchObject({ phase: 'silos', after: tenants[3], silos: { failed: 0 } });
    expect(await having(tenants)).toEqual(tenants.slice(0, 4));
    runner.logged.length = 0;
    expect(await goOn(system, progress, Number.POSITIVE_INFINITY)).toMatchObject({ phase: 'done' });
    expect(audited().sort()).toEqual(tenants.slice(4).map(tenantHomeName).sort());
  });

  it(
    'leaves no database behind for one that takes for ever, and comes back to that one',
    { timeout: 90_000 },
    async () => {
      await addTenants(4);
      const [stuck = '', ...others] = tenants;
      await occupy(tenantHomeName(stuck), tenantHomeName(stuck));
      const { system, until } = timedRun([weight, byWeight], others.length);
      const progress = await goOn(system, beginRun(), until + 1_800_000, 5_000);
      expect(progress).toMatchObject({ phase: 'silos', silos: { failed: 0 }, left: [stuck] });
      expect(audited()).toEqual(expect.arrayContaining(others.map(tenantHomeName)));
      await query(tenantHomeName(stuck), `delete from tenancy.migrations where run = 'somebody'`);
      expect(await goOn(system, progress, Number.POSITIVE_INFINITY)).toMatchObject({ phase: 'done', left: [] });
      expect(await having(tenants)).toEqual(tenants);
    },
  );

  it('leaves no database of a tenant’s own behind for a schema that takes for ever', { timeout: 90_000 }, async () => {
    await database.owner.query(`select tenancy.provision('t_bridge')`);
    await occupy(database.name, 't_bridge');
    const { system, until } = timedRun([weight, byWeight], tenants.length);
    const progress = await goOn(system, beginRun(), until);
    expect(progress).toMatchObject({ phase: 'shared', shared: { failed: 0 } });
    expect(await having(tenants)).toEqual(tenants);
    await query(database.name, `delete from tenancy.migrations where run = 'somebody'`);
    expect(await goOn(system, progress, Number.POSITIVE_INFINITY)).toMatchObject({ phase: 'done' });
  });

  it('takes in a database that was registered behind its back', { timeout: 60_000 }, async () => {
    const [late = '', other = ''] = tenants;
    const register = (secret: string): Promise<unknown> =>
      database.superuser.query(
        `update registry.tenants set secret_arn = ${secret}, api_key = secret_arn, updated_at = now() where tenant_id = $1`,
        [late],
      );
    await register('null');
    const system = runner.systemFor(database, { tenant: [weight] });
    const { siloSecrets } = system;
    const read: typeof siloSecrets.read = async (tenantId, secretArn) => {
      if (tenantId === other) await register('coalesce(secret_arn, api_key)');
      return siloSecrets.read(tenantId, secretArn);
    };
    const progress = await goOn({ ...system, siloSecrets: { ...siloSecrets, read } }, beginRun(), Infinity);
    expect(progress).toMatchObject({ phase: 'done', silos: { done: 2, failed: 0 } });
    expect(await having(tenants)).toEqual(tenants);
  });

  it('is handed on with the pool, once what tenants share is audited', { timeout: 60_000 }, async () => {
    const system = runner.systemFor(database, { tenant: [weight] });
    const progress = await deployAll(system, 0);
    expect(progress).toMatchObject({ phase: 'shared', shared: { done: 0, failed: 0 } });
    expect(audited()).toEqual([database.name]);
    expect(await goOn(system, progress, Infinity)).toMatchObject({ phase: 'done' });
    await query(database.name, 'alter table pool.projects no force row level security');
    const other = runner.systemFor(database, { tenant: [weight, file('902', 'alter table tasks add height int')] });
    await expect(deployAll(other, 0)).rejects.toMatchObject({ name: 'AuditError', findings: [{ class: 3 }] });
  });

  it('fails in the end with what has failed, once all others are done', async () => {
    const [broken = '', whole = ''] = tenants;
    const name = tenantHomeName(broken);
    await query(name, `alter table ${name}.tasks add weight text; select tenancy.hide_values('${name}.tasks')`);
    const { status, error } = await run(runner.systemFor(database, { tenant: [weight] }), beginRun(), [0]);
    expect(status).toBe('FAILED');
    expect(error?.errorMessage).toContain(`900_weight  1 placement: ${name}`);
    expect(await having([whole])).toEqual([whole]);
  });

  it('ends when more databases fail than a run puts up with', async () => {
    const { superuser } = database;
    await superuser.query(
      `insert into registry.tenants (tenant_id, name, plan, model, cluster, database, schema, secret_arn)
       select id, id, 'free', 'silo', $1, id, id, 'none' from (select 'gone-' || n as id from generate_series(10, 40) n) g`,
      [mainCluster],
    );
    const failure = goOn(runner.systemFor(database), beginRun(), Number.POSITIVE_INFINITY);
    await expect(failure).rejects.toMatchObject({ report: { stopped: 'budget', failed: 12 } });
    await expect(failure).rejects.toThrow('Too many failed, so the rest was left alone');
  });
});

describe('the status of a fleet', () => {
  it('says of each database that tenants share, and of each other that is not as it should be, what is missing', async () => {
    const [broken = '', whole = ''] = tenants;
    const name = tenantHomeName(broken);
    const system = runner.systemFor(database, { tenant: [weight] });
    await query(name, `alter table ${name}.tasks add weight text; select tenancy.hide_values('${name}.tasks')`);
    await expect(goOn(system, beginRun(), Number.POSITIVE_INFINITY)).rejects.toThrow('900_weight');
    expect(await having([whole])).toEqual([whole]);
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
    await database.superuser.query(
      `insert into registry.tenants (tenant_id, name, plan, model, cluster, database, schema, secret_arn)
       values ('zz-gone', 'Gone', 'free', 'silo', $1, 't_zz_gone', 't_zz_gone', 'none'),
         ('zz-lost', 'Lost', 'free', 'silo', 'former', 't_zz_lost', 't_zz_lost', 'none')`,
      [mainCluster],
    );
    const { databases } = await statusOf(runner.systemFor(database), Number.POSITIVE_INFINITY);
    expect(databases.slice(1)).toEqual([
      { database: expect.stringContaining('t_zz_gone'), error: expect.stringContaining('does not exist') },
      { database: 't_zz_lost on the cluster former', error: expect.stringContaining('There is no cluster') },
    ]);
  });
});

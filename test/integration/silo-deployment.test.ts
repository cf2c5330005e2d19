import { describe, expect, it, vi } from 'vitest';
import { deploy as deployAll } from '../../functions/migrate/service.ts';
import { dropSilo, makeSilo } from '../../functions/migrate/silo.ts';
import { databaseRoles, mainCluster, tenantHomeName, tenantTag } from '../../shared/contract/index.ts';
import { closeDatabases, serverDatabases } from '../../shared/database/server-databases.ts';
import { executeWith, master } from '../helpers/database-template.ts';
import { file, twoSilos, weight } from '../helpers/two-silos.ts';

const silos = twoSilos();

describe('a deployment', () => {
  it('brings the databases that tenants share up to date, then those that are one tenant’s alone, each with its audit', async () => {
    const kernel = file(
      '900_answer',
      `create function tenancy.answer() returns integer language sql as 'select 42';
       grant execute on function tenancy.answer to tenantry_app;
       select tenancy.seal('tenancy.answer()');`,
    );
    const system = silos.runner.systemFor(silos.database, { tenant: [weight], kernel: [kernel] });
    expect(await deployAll(system)).toMatchObject({ phase: 'done', silos: { done: 2, failed: 0 } });
    expect(await silos.having(silos.tenants)).toEqual(silos.tenants);
    expect(silos.audited()[0]).toBe(silos.database.name);
    expect(silos.audited().slice(1).sort()).toEqual(silos.tenants.map(tenantHomeName).sort());
    for (const [name, role] of [
      [silos.database.name, databaseRoles.app],
      ...silos.tenants.map((tenantId) => [tenantHomeName(tenantId), tenantHomeName(tenantId)]),
    ] as const)
      expect(await silos.query(name, `select callers from tenancy.sealed where object = 'tenancy.answer()'`)).toEqual([
        { callers: [role] },
      ]);
    expect(await deployAll(system)).toMatchObject({ phase: 'done', silos: { done: 0, failed: 0 } });
  });

  it('is no harm to another one at the same time', { timeout: 120_000 }, async () => {
    const system = silos.runner.systemFor(silos.database, { tenant: [weight] });
    for (let time = 0; time < 2; time += 1) {
      const both = await Promise.all([deployAll(system), deployAll(system)]);
      expect(both).toMatchObject([1, 2].map(() => ({ phase: 'done', shared: { failed: 0 }, silos: { failed: 0 } })));
    }
    expect(await silos.having(silos.tenants)).toEqual(silos.tenants);
  });

  it(
    'makes the database of a tenant once, though it is asked twice at the same time',
    { timeout: 60_000 },
    async () => {
      for (let time = 0; time < 3; time += 1) {
        const silo = { tenantId: silos.runner.newTenant(), cluster: mainCluster };
        const [one, other] = await Promise.all([
          makeSilo(silo, silos.runner.system),
          makeSilo(silo, silos.runner.system),
        ]);
        expect(one).toBe(other);
      }
    },
  );

  it('keeps the logins of tenants out of the databases that a server comes with', async () => {
    await silos.deploy();
    for (const tenantId of silos.tenants) {
      const name = tenantHomeName(tenantId);
      for (const other of serverDatabases)
        await expect(silos.runner.connect(name, other)).rejects.toMatchObject({ code: '42501' });
    }
  });

  it('goes on where it may not close a database, and says which that is', async () => {
    const { superuser, name } = silos.database;
    const [its, foreign] = [`${name}_its`, `${name}_foreign`];
    await superuser.query(`create database ${its} owner ${master}`);
    await superuser.query(`create database ${foreign}`);
    const execute = executeWith(await silos.runner.connect(master, name));
    expect(await closeDatabases(execute, [its, foreign])).toEqual([foreign]);
    for (const each of [its, foreign]) await superuser.query(`drop database ${each}`);
  });

  it('gives a tenant’s role the password that its secret has now', async () => {
    const [tenantId = ''] = silos.tenants;
    const name = tenantHomeName(tenantId);
    const secret = silos.runner.secrets.list().find(({ tags }) => tags['tenantry:tenant'] === tenantId);
    await silos.runner.secrets.put(
      secret?.arn ?? '',
      JSON.stringify({ username: name, password: 'rotated' }),
      secret?.tags,
    );
    await expect(silos.runner.connect(name, name)).rejects.toMatchObject({ code: '28P01' });
    await silos.deploy();
    await silos.runner.connect(name, name);
  });

  it('makes a login anew that somebody has deleted, and the registry knows it', async () => {
    const [tenantId = ''] = silos.tenants;
    const name = tenantHomeName(tenantId);
    const loginOf = () => silos.runner.secrets.list().find(({ tags }) => tags[tenantTag] === tenantId);
    const deleted = loginOf()?.arn ?? '';
    await silos.runner.secrets.delete(deleted);
    expect(await silos.deploy()).toMatchObject({ phase: 'done', silos: { failed: 0 } });
    await silos.runner.connect(name, name);
    const { rows } = await silos.database.superuser.query(
      'select secret_arn from registry.tenants where tenant_id = $1',
      [tenantId],
    );
    expect(rows).toEqual([{ secret_arn: loginOf()?.arn }]);
    expect(rows).not.toEqual([{ secret_arn: deleted }]);
    expect(silos.runner.logged).toContainEqual(expect.objectContaining({ level: 'warn', database: name, deleted }));
  });

  it.each([
    [
      'a table that is not as migrations made it',
      async (name: string) => {
        await silos.query(
          name,
          `alter table ${name}.tasks add weight text; select tenancy.hide_values('${name}.tasks')`,
        );
      },
      '900_weight  1 placement',
    ],
    [
      'a login of another role',
      async (name: string) => {
        const secret = silos.runner.secrets.list().find(({ value }) => value.includes(name));
        await silos.runner.secrets.put(secret?.arn ?? '', JSON.stringify({ username: 't_somebody', password: 'x' }));
      },
      'is the login of t_somebody',
    ],
    [
      'a way around row-level security',
      async (name: string) => {
        await silos.query(name, `alter table ${name}.projects no force row level security`);
      },
      'found a way around row-level security',
    ],
    [
      'a kernel that somebody has changed',
      async (name: string) => {
        await silos.query(name, `update tenancy.migrations set checksum = 'other' where version = '003_run'`);
      },
      'Migration 003_run of kernel was changed',
    ],
  ])('with %s fails, says so, and leaves no other database behind', async (_, breakIt, says) => {
    const [broken = '', whole = ''] = silos.tenants;
    await breakIt(tenantHomeName(broken));
    const failure = silos.deploy(weight);
    await expect(failure).rejects.toMatchObject({ name: 'FleetError', report: { done: 1, failed: 1 } });
    await expect(failure).rejects.toThrow(says);
    expect(await silos.having([whole])).toEqual([whole]);
  });

  it('does not fail with a database that is not there, but says what to do, and goes on with the others', async () => {
    const [gone = '', whole = ''] = silos.tenants;
    const name = tenantHomeName(gone);
    await silos.database.superuser.query(`drop database "${name}" with (force)`);
    expect(await silos.deploy(weight)).toMatchObject({ phase: 'done', silos: { done: 1, failed: 1 }, missing: 1 });
    expect(await silos.having([whole])).toEqual([whole]);
    const error = `There is no database ${name}. Restore it, or offboard its tenant: tenant delete ${gone} --no-export.`;
    const failures = [expect.objectContaining({ placement: name, error })];
    expect(silos.runner.logged).toContainEqual({ level: 'warn', message: 'placements failed', failures });

    const other = tenantHomeName(whole);
    await silos.query(other, `alter table ${other}.projects no force row level security`);
    await expect(silos.deploy(weight)).rejects.toMatchObject({ name: 'FleetError', report: { failed: 2 } });
  });

  it.each([
    ['before', 'its login is read'],
    ['after', 'its login was read'],
  ])('neither fails with a database that is dropped %s %s, nor leaves a role or a login for it', async (when) => {
    const [leaving = ''] = silos.tenants;
    const system = silos.runner.systemFor(silos.database, { tenant: [weight] });
    const { siloSecrets } = system;
    const read: typeof siloSecrets.read = async (tenantId, secretArn) => {
      const leave = async (): Promise<void> => {
        if (tenantId !== leaving) return;
        await silos.database.superuser.query(`update registry.tenants set state = 'offboarding' where tenant_id = $1`, [
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
    const { rows } = await silos.database.superuser.query('select from pg_roles where rolname = $1', [
      tenantHomeName(leaving),
    ]);
    expect(rows).toEqual([]);
    expect(silos.runner.secrets.list().filter(({ tags }) => tags[tenantTag] === leaving)).toEqual([]);
  });

  it('takes nothing from a tenant who comes with the id of one that has just left', async () => {
    const [id = ''] = silos.tenants;
    const system = silos.runner.systemFor(silos.database, { tenant: [weight] });
    const { siloSecrets } = system;
    const silo = { tenantId: id, cluster: mainCluster };
    const read: typeof siloSecrets.read = async (tenantId, secretArn) => {
      const password = await siloSecrets.read(tenantId, secretArn);
      if (tenantId !== id) return password;
      await dropSilo(silo, system);
      await silos.database.superuser.query(
        `update registry.tenants set state = 'onboarding', secret_arn = null where tenant_id = $1`,
        [id],
      );
      await siloSecrets.ensure(silo);
      return password;
    };
    const progress = await deployAll({ ...system, siloSecrets: { ...siloSecrets, read } });
    expect(progress).toMatchObject({ phase: 'done', silos: { done: 1, failed: 0 } });
    expect(silos.runner.secrets.list().filter(({ tags }) => tags[tenantTag] === id)).toHaveLength(1);
  });

  it('takes no login from a tenant who comes with that id while the role of the one that has left is dropped', async () => {
    const [id = ''] = silos.tenants;
    const name = tenantHomeName(id);
    const system = silos.runner.systemFor(silos.database, { tenant: [weight] });
    const { siloSecrets } = system;
    const { superuser } = silos.database;
    const silo = { tenantId: id, cluster: mainCluster };
    const setState = (state: string) =>
      superuser.query('update registry.tenants set state = $2 where tenant_id = $1', [id, state]);
    const holder = await silos.database.connectAs('superuser');
    const read: typeof siloSecrets.read = async (tenantId, secretArn) => {
      const password = await siloSecrets.read(tenantId, secretArn);
      if (tenantId !== id) return password;
      await setState('offboarding');
      await superuser.query(`drop database "${name}" with (force)`);
      await siloSecrets.remove(silo);
      // Whoever drops the role waits for that.
      await holder.query(`begin; create table held (); grant select on held to ${name}`);
      return password;
    };
    const deployed = deployAll({ ...system, siloSecrets: { ...siloSecrets, read } });
    const isDropping = `select from pg_stat_activity where wait_event_type = 'Lock' and query like '%drop role%${name}%'`;
    await vi.waitUntil(async () => (await superuser.query(isDropping)).rowCount === 1, 20_000);
    await setState('onboarding');
    await siloSecrets.ensure(silo);
    await holder.query('rollback');
    expect(await deployed).toMatchObject({ phase: 'done', silos: { done: 1, failed: 0 } });
    expect(silos.runner.secrets.list().filter(({ tags }) => tags[tenantTag] === id)).toHaveLength(1);
  });

  it('leaves alone what a tenant who leaves has left, and makes nothing anew', async () => {
    const [leaving = ''] = silos.tenants;
    const { superuser } = silos.database;
    await superuser.query(`update registry.tenants set state = 'offboarding' where tenant_id = $1`, [leaving]);
    await superuser.query(`drop database "${tenantHomeName(leaving)}" with (force)`);
    expect(await silos.deploy(weight)).toMatchObject({ phase: 'done', silos: { done: 1, failed: 0 } });
    const { rows } = await superuser.query('select from pg_database where datname = $1', [tenantHomeName(leaving)]);
    expect(rows).toEqual([]);
  });

  it('does not begin with databases of tenants’ own when the placements of the others fail', async () => {
    const { owner } = silos.database;
    await owner.query(`select tenancy.provision('t_bridge')`);
    await owner.query(`alter table t_bridge.tasks add weight text; select tenancy.hide_values('t_bridge.tasks')`);
    await expect(silos.deploy(weight)).rejects.toThrow('A canary failed');
    expect(await silos.having(silos.tenants)).toEqual([]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRequest } from '../../functions/migrate/request.ts';
import { dropSilo, makeSilo } from '../../functions/migrate/silo.ts';
import { databaseRoles, mainCluster, stageTag, tenantHomeName, tenantTag } from '../../shared/contract/index.ts';
import { audit } from '../../shared/database/audit.ts';
import type { Placement } from '../../shared/tenancy/index.ts';
import { executeWith } from '../helpers/database-template.ts';
import { failureOf, runAs, runWith } from '../helpers/run-as.ts';
import { type SiloRunner, startSiloRunner } from '../helpers/silo-runner.ts';

let runner: SiloRunner;
let tenant: string;
let other: string;
let placement: Placement;

beforeAll(async () => {
  runner = await startSiloRunner();
  [tenant, other] = [runner.newTenant(), runner.newTenant()];
  placement = await runner.addSilo(tenant);
  await runner.addSilo(other);
});
afterAll(() => runner[Symbol.asyncDispose]());

describe('a database of a tenant’s own', () => {
  it('has a login whose secret says whose it is, and whose ARN the Data API takes', () => {
    const secret = runner.secrets.get(placement.secretArn ?? '');
    expect(secret).toMatchObject({ tags: { [stageTag]: 'test', [tenantTag]: tenant } });
    expect(secret?.name).toMatch(/^silo\/test\/[0-9a-f]{12}$/);
    expect(secret?.arn.length).toBeLessThan(100);
    const login = JSON.parse(secret?.value ?? '{}') as Record<string, string>;
    expect(login).toEqual({ username: tenantHomeName(tenant), password: expect.stringMatching(/^[\w-]{64}$/) });
  });

  it('answers its tenant’s requests, with that login, as every placement does', async () => {
    const { api } = runner;
    const create = () =>
      api.db.insertInto('projects').values({ name: 'Bridge', id: crypto.randomUUID() }).returning('name').execute();
    expect(await api.as(tenant, create, { placement })).toEqual([{ name: 'Bridge' }]);
    const read = () => api.db.selectFrom('projects').select(['tenant_id', 'name']).execute();
    expect(await api.as(tenant, read, { placement })).toEqual([{ tenant_id: tenant, name: 'Bridge' }]);
  });

  it('shows its role nothing without a capability, nor with that of a tenant who lives elsewhere', async () => {
    const app = await runner.connect(placement.database, placement.database);
    const select = 'select * from projects';
    expect(await failureOf(runWith(app, null, select, [], placement.schema))).toMatchObject({ code: 'TN001' });
    expect(await failureOf(runAs(app, other, select, [], placement.schema))).toMatchObject({ code: 'TN004' });
    expect(await failureOf(app.query(`select * from ${placement.schema}.projects`))).toMatchObject({ code: 'TN001' });
    const { rows } = await app.query(`select has_database_privilege(current_database(), 'create, temp') as may`);
    expect(rows).toEqual([{ may: false }]);
  });

  it('lets its role wait as long as a function does, in UTC', async () => {
    const app = await runner.connect(placement.database, placement.database);
    const { rows } = await app.query(
      `select current_setting('statement_timeout') as t, current_setting('timezone') as z`,
    );
    expect(rows).toEqual([{ t: '28s', z: 'UTC' }]);
  });

  it.each([databaseRoles.app, databaseRoles.authorizer, databaseRoles.control])(
    'refuses the connection of %s, which has no right in it either',
    async (role) => {
      expect(await failureOf(runner.connect(role, placement.database))).toMatchObject({ code: '42501' });
      const owner = await runner.connect(databaseRoles.owner, placement.database);
      const { rows } = await owner.query<{ grants: string }>(
        `select count(*)::text as grants from (
           select relacl as acl from pg_class union all select proacl from pg_proc union all select nspacl from pg_namespace
         ) o, aclexplode(o.acl) a where a.grantee = $1::regrole and a.privilege_type <> 'USAGE'`,
        [role],
      );
      expect(rows).toEqual([{ grants: '0' }]);
    },
  );

  it('keeps its role out of every other database of tenants', async () => {
    for (const database of [runner.api.postgres.name, tenantHomeName(other)])
      expect(await failureOf(runner.connect(placement.database, database))).toMatchObject({ code: '42501' });
  });

  it('passes the audit', async () => {
    const owner = await runner.connect(databaseRoles.owner, placement.database);
    expect(await audit(executeWith(owner))).toEqual([]);
  });

  it('notices by its audit when the shared role gets rights in it', async () => {
    const owner = await runner.connect(databaseRoles.owner, tenantHomeName(other));
    await owner.query(
      `grant usage on schema tenancy to tenantry_app; grant select on tenancy.signing_keys to tenantry_app`,
    );
    expect(await audit(executeWith(owner))).toMatchObject([{ class: 31, object: 'tenancy.signing_keys' }]);
    await owner.query(
      `revoke usage on schema tenancy from tenantry_app; revoke select on tenancy.signing_keys from tenantry_app`,
    );
  });

  it('is what it was when it is made again, and closed again to whom somebody has opened it', async () => {
    const { superuser } = runner.api.postgres;
    const facts = async () =>
      (await superuser.query('select datacl, datdba from pg_database where datname = $1', [placement.database])).rows;
    const before = await facts();
    await superuser.query(`grant connect on database "${placement.database}" to public, tenantry_app`);
    expect(await makeSilo({ tenantId: tenant, cluster: mainCluster }, runner.system)).toBe(placement.secretArn);
    expect(await facts()).toEqual(before);
    const app = await runner.connect(placement.database, placement.database);
    expect(await runAs(app, tenant, 'select name from projects', [], placement.schema)).toEqual([{ name: 'Bridge' }]);
  });

  it('refuses a file of the kernel that was changed after it had been applied', async () => {
    const { migrations } = runner.system;
    const kernel = migrations.kernel.map((file) => ({
      ...file,
      ...(file.version === '003_run' && { checksum: 'other' }),
    }));
    const system = { ...runner.system, migrations: { ...migrations, kernel } };
    const failure = makeSilo({ tenantId: tenant, cluster: mainCluster }, system);
    await expect(failure).rejects.toThrow('Migration 003_run of kernel was changed after it had been applied');
  });

  it('is not made with a secret that is another tenant’s', async () => {
    const third = runner.newTenant();
    const arn = await makeSilo({ tenantId: third, cluster: mainCluster }, runner.system);
    await runner.secrets.put(arn, runner.secrets.get(arn)?.value ?? '', { [tenantTag]: other });
    const failure = makeSilo({ tenantId: third, cluster: mainCluster }, runner.system);
    await expect(failure).rejects.toThrow(`is tagged as that of ${other}, not of ${third}`);
  });
});

describe('dropping a database of a tenant’s own', () => {
  it('leaves neither database nor role nor login, also while somebody is connected, and can be repeated', async () => {
    const leaving = runner.newTenant();
    const name = tenantHomeName(leaving);
    const { secretArn = '' } = await runner.addSilo(leaving);
    await runner.connect(name, name);
    await runner.connect(databaseRoles.operations, name);
    for (let times = 0; times < 2; times += 1)
      await dropSilo({ tenantId: leaving, cluster: mainCluster }, runner.system);
    const { rows } = await runner.api.postgres.superuser.query(
      `select datname from pg_database where datname = $1 union all select rolname from pg_roles where rolname = $1`,
      [name],
    );
    expect(rows).toEqual([]);
    expect(runner.secrets.get(secretArn)).toBeUndefined();
  });

  it('does nothing where nothing was made', async () => {
    await dropSilo({ tenantId: 'never-was', cluster: mainCluster }, runner.system);
  });
});

describe('the migration runner', () => {
  it('takes what says no action for a deployment', () => {
    for (const event of [undefined, null, {}, { RequestType: 'Create' }, 'text'])
      expect(readRequest(event)).toBeUndefined();
  });

  it.each([
    [{ action: 'make', tenantId: 'Acme; drop', cluster: 'main' }, 'tenantId'],
    [{ action: 'drop', tenantId: 'tenantry"', cluster: 'main' }, 'tenantId'],
    [{ action: 'drop', tenantId: 'acme' }, 'cluster'],
    [{ action: 'rename', tenantId: 'acme', cluster: 'main' }, 'action'],
    [{ action: 'make', tenantId: 'acme', cluster: 'main', database: 'tenantry' }, 'database'],
  ])('refuses %j', (event, problem) => {
    expect(() => readRequest(event)).toThrow(problem);
  });

  it('makes nothing on a cluster that the stage does not have, and drops the login of what was there', async () => {
    const silo = { tenantId: tenant, cluster: 'elsewhere' };
    await expect(makeSilo(silo, runner.system)).rejects.toThrow('There is no cluster "elsewhere", only main.');
    const { secretArn } = await runner.system.siloSecrets.ensure(silo);
    const isThere = () => runner.secrets.list().some(({ arn }) => arn === secretArn);
    expect(isThere()).toBe(true);
    await dropSilo(silo, runner.system);
    expect(isThere()).toBe(false);
  });
});

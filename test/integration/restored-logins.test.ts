import { afterAll, beforeAll, expect, it } from 'vitest';
import { restoreTenantLogins } from '../../local/resources/tenant-logins.ts';
import { SecretStore } from '../../local/secrets-manager/secret-store.ts';
import { startTenantDatabase, type TestTenantDatabase } from '../helpers/tenant-database.ts';
import { workerPostgres } from '../helpers/worker-postgres.ts';

let database: TestTenantDatabase;
beforeAll(async () => {
  database = await startTenantDatabase([]);
});
afterAll(() => database[Symbol.asyncDispose]());

it('a tenant that comes or leaves gets no login back: it may have none yet, or none any more', async () => {
  const { superuser } = database.postgres;
  await superuser.query(
    `insert into registry.tenants (tenant_id, name, plan, state, model, cluster, database, schema, secret_arn)
     select s, s, 'enterprise', s, 'silo', 'silos', 't_' || s, 't_' || s, 'arn:aws:secretsmanager:r:0:secret:' || s || '-abcdef'
     from unnest(array['onboarding', 'active', 'suspended', 'offboarding']) s`,
  );
  const secrets = SecretStore.open();
  const { port, password } = workerPostgres();
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/${database.postgres.name}`;
  await restoreTenantLogins(url, secrets, 'local');
  expect(secrets.list().map(({ name: secret, tags }) => [secret, tags])).toEqual([
    ['active', { 'tenantry:stage': 'local', 'tenantry:tenant': 'active' }],
    ['suspended', { 'tenantry:stage': 'local', 'tenantry:tenant': 'suspended' }],
  ]);
});

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { mainDatabase, tenantHomeName } from '../../shared/contract/index.ts';
import { tenantCommand } from '../helpers/command.ts';

const { dataDir } = inject('stack');
const tenantId = 'set-apart';
const database = tenantHomeName(tenantId);

interface Subject {
  readonly cluster: string;
  readonly database: string;
}

const run = async (...args: readonly string[]): Promise<unknown> => {
  const { stdout, stderr } = await tenantCommand(...args, '--data', dataDir);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as unknown;
};
const itsOwn = (subjects: unknown) => (subjects as Subject[]).filter((each) => each.database === database);

beforeAll(async () => {
  const made = await run('create', tenantId, '--name', 'Set apart', '--plan', 'enterprise', '--model', 'silo');
  expect(made).toMatchObject({ kind: 'onboard', state: 'succeeded' });
});
afterAll(async () => {
  await tenantCommand('delete', tenantId, '--yes', '--data', dataDir);
});

/** Does something as the superuser of the server that the tenant's database is on. */
async function asSuperuser<Result>(name: string, work: (client: Client) => Promise<Result>): Promise<Result> {
  const cluster = itsOwn(await run('migrate', '--status'))[0]?.cluster ?? '';
  const { postgresUrls } = JSON.parse(await readFile(join(dataDir, 'stack.json'), 'utf8')) as {
    postgresUrls: Record<string, string>;
  };
  const client = new Client({ connectionString: postgresUrls[cluster]?.replace(`/${mainDatabase}`, `/${name}`) });
  await client.connect();
  return work(client).finally(() => client.end());
}

describe('a tenant with a database of its own', () => {
  test('has the migrations that all have, and nothing for the audit to find', async () => {
    expect(itsOwn(await run('migrate', '--status'))).toMatchObject([
      { placements: [{ placement: database, version: '003_idempotency_keys', failed: null }] },
    ]);
    expect(await run('migrate', '--status', '--tenant', tenantId)).toMatchObject([{ database }]);
    expect(await run('audit')).toEqual([]);
  });

  test('is migrated by the command, in its own database and for its own role', async () => {
    await asSuperuser(database, async (client) => {
      await client.query('set role tenantry_owner');
      await client.query(`drop table ${database}.idempotency_keys`);
      await client.query(`delete from tenancy.migrations where version = '003_idempotency_keys'`);
    });
    expect(itsOwn(await run('migrate', '--plan'))).toMatchObject([{ plan: { steps: [{ first: [database] }] } }]);
    expect(await run('migrate', '--tenant', tenantId)).toMatchObject({ placements: 1, done: 1, failed: 0 });
    const grantees = await asSuperuser(database, (client) =>
      client.query(
        `select distinct grantee::regrole::text as name from pg_class c, aclexplode(c.relacl)
         where c.oid = '${database}.idempotency_keys'::regclass order by 1`,
      ),
    );
    expect(grantees.rows).toEqual([{ name: database }, { name: 'tenantry_owner' }]);
    expect(await run('audit')).toEqual([]);
  });

  test('leaves neither database nor role behind', async () => {
    const left = await asSuperuser(mainDatabase, async (client) => {
      expect(await run('delete', tenantId, '--yes')).toMatchObject({ kind: 'offboard', state: 'succeeded' });
      return client.query(
        'select datname from pg_database where datname = $1 union all select rolname from pg_roles where rolname = $1',
        [database],
      );
    });
    expect(left.rows).toEqual([]);
    expect(itsOwn(await run('migrate', '--status'))).toEqual([]);
  });
});

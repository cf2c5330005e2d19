import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { mainDatabase, tenantHomeName } from '../../shared/contract/index.ts';
import { type CommandRun, tenantCommand } from '../helpers/command.ts';
import { withMissing } from '../helpers/fleet/missing-migration.ts';
import { readStackFile } from '../helpers/stack.ts';

const migrate = (...args: readonly string[]): Promise<CommandRun> =>
  tenantCommand('migrate', '--data', inject('stack').dataDir, ...args);

let superuser: Client;

beforeEach(async () => {
  const { postgresUrl } = await readStackFile(inject('stack').dataDir);
  superuser = new Client({ connectionString: postgresUrl });
  await superuser.connect();
});
afterEach(() => superuser.end());

interface Subject {
  readonly cluster: string;
  readonly database: string;
}

describe('tenant migrate', () => {
  test('has nothing to do in a stack as it was deployed', async () => {
    const { code, stdout, stderr } = await migrate();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({ placements: 0, done: 0, failed: 0, failures: [], findings: [] });
  });

  test('says which databases it leaves out because they are not there, and what to do', async () => {
    await superuser.query(
      `insert into registry.tenants (tenant_id, name, plan, model, cluster, database, schema, secret_arn)
       values ('gone', 'Gone', 'free', 'silo', 'main', 't_gone', 't_gone', 'none'), ('far', 'Far', 'free', 'silo', 'old', 't_far', 't_far', 'none')`,
    );
    try {
      const { code, stderr } = await migrate('--status');
      expect({ code, stderr: stderr.trim().split('\n') }).toEqual({
        code: 0,
        stderr: [
          'Left out: there is no database t_far on old. Restore it, or offboard its tenant: tenant delete far --no-export.',
          'Left out: there is no database t_gone on main. Restore it, or offboard its tenant: tenant delete gone --no-export.',
        ],
      });
    } finally {
      await superuser.query(`delete from registry.tenants where tenant_id in ('gone', 'far')`);
    }
  });

  test('says what would run where, runs it, and says who has what', async () => {
    await withMissing(superuser, 'tenant_behind', async () => {
      const plans = JSON.parse((await migrate('--plan')).stdout) as Subject[];
      expect(plans.filter(({ cluster }) => cluster === 'main')).toMatchObject([
        {
          cluster: 'main',
          plan: {
            steps: [{ version: '003_idempotency_keys', placements: 1, first: ['tenant_behind'] }],
            canaries: ['tenant_behind'],
          },
        },
      ]);
      expect(JSON.parse((await migrate()).stdout)).toMatchObject({ placements: 1, done: 1, failed: 0 });
      const [status] = JSON.parse((await migrate('--status')).stdout) as [{ placements: object[] }];
      expect(status.placements).toEqual(
        expect.arrayContaining(
          ['pool', 'tenant_behind'].map((placement) =>
            expect.objectContaining({ placement, version: '003_idempotency_keys' }),
          ),
        ),
      );
    });
  });

  test('says how the deployment went, of which each start of a stack has one', async () => {
    const [status] = JSON.parse((await migrate('--status')).stdout) as [object];
    const lastRun = { state: 'done', failed: 0, causes: [], error: null, endedAt: expect.any(String) };
    expect(status).toMatchObject({ cluster: 'main', lastRun });
  });

  test('exits with 1 when the audit finds a way around row-level security, and says which', async () => {
    await withMissing(superuser, 'tenant_open', async () => {
      await superuser.query('alter table tenant_open.tasks no force row level security');
      const { code, stdout } = await migrate();
      expect({ code, report: JSON.parse(stdout) as unknown }).toMatchObject({
        code: 1,
        report: { done: 1, failed: 0, findings: [{ class: 3, severity: 'error', object: 'tenant_open.tasks' }] },
      });
    });
  });

  test('exits with 1 when a placement fails, and says why', async () => {
    await withMissing(superuser, 'tenant_sick', async () => {
      await superuser.query('create table tenant_sick.idempotency_keys (id int)');
      const { code, stdout } = await migrate();
      expect({ code, report: JSON.parse(stdout) }).toMatchObject({
        code: 1,
        report: {
          failed: 1,
          failures: [{ placement: 'tenant_sick', version: '003_idempotency_keys', sqlstate: '42P07' }],
          stopped: 'canary',
        },
      });
      expect((await migrate('--status')).code).toBe(1);
    });
  });

  test('looks at one tenant alone, and refuses one that is nowhere', async () => {
    const { stdout } = await migrate('--status', '--tenant', 'hooli');
    expect(JSON.parse(stdout)).toMatchObject([{ placements: [{ placement: 'pool' }] }]);
    const { code, stderr } = await migrate('--tenant', 'nobody');
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'The tenant nobody is at home in no database of the stack.\n',
    });
    expect((await migrate('--plan', '--status')).code).toBe(2);
  });
});

const { dataDir } = inject('stack');
const tenantId = 'set-apart';
const database = tenantHomeName(tenantId);

const run = async (...args: readonly string[]): Promise<unknown> => {
  const { stdout, stderr } = await tenantCommand(...args, '--data', dataDir);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as unknown;
};
const itsOwn = (subjects: unknown) => (subjects as Subject[]).filter((each) => each.database === database);
const findings = async () => itsOwn(await run('audit'));

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
  beforeAll(async () => {
    const made = await run('create', tenantId, '--name', 'Set apart', '--plan', 'enterprise', '--model', 'silo');
    expect(made).toMatchObject({ kind: 'onboard', state: 'succeeded' });
  });
  afterAll(async () => {
    await tenantCommand('delete', tenantId, '--yes', '--data', dataDir);
  });

  test('has the migrations that all have, and nothing for the audit to find', async () => {
    expect(itsOwn(await run('migrate', '--status'))).toMatchObject([
      { placements: [{ placement: database, version: '003_idempotency_keys', failed: null }] },
    ]);
    expect(await run('migrate', '--status', '--tenant', tenantId)).toMatchObject([{ database }]);
    expect(await findings()).toEqual([]);
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
    expect(await findings()).toEqual([]);
  });

  test('keeps nothing else from being seen or migrated while it cannot be reached, and is reported', async () => {
    await asSuperuser(mainDatabase, async (client) => {
      await client.query(`alter database ${database} allow_connections false`);
      await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [database]);
      try {
        await withMissing(superuser, 'tenant_reached', async () => {
          const { code, stdout } = await migrate();
          expect({ code, report: JSON.parse(stdout) as unknown }).toMatchObject({
            code: 1,
            report: { placements: 1, done: 1, failures: [{ placement: expect.stringContaining(database) }] },
          });
        });
        for (const look of ['--plan', '--status']) {
          const { code, stdout } = await migrate(look);
          expect(code).toBe(1);
          expect(itsOwn(JSON.parse(stdout))).toMatchObject([{ error: expect.stringContaining('refused') }]);
          expect((JSON.parse(stdout) as object[]).length).toBeGreaterThan(1);
        }
      } finally {
        await client.query(`alter database ${database} allow_connections true`);
      }
    });
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

import { createHash, randomUUID } from 'node:crypto';
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { capabilityFor } from '../helpers/capability.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';

/** What the login of the application can make of impersonations: in SQL that is injected into a request, and bare. */
let database: TestDatabase;
let control: Client;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.addTenants('acme', 'globex');
  control = await database.connectAs('control');
});
afterAll(() => database[Symbol.asyncDispose]());

/** Lets an operator act for a tenant. @returns the impersonation's id */
async function begin(tenantId: string, actor = 'olga'): Promise<string> {
  const id = randomUUID();
  const tokenHash = createHash('sha256').update(id).digest('hex');
  await control.query('select registry.begin_impersonation($1)', [
    { id, tenantId, actor, reason: 'why', minutes: 15, tokenHash },
  ]);
  return id;
}

const ended = async (tenantId: string): Promise<string> => {
  const id = await begin(tenantId);
  await control.query('select registry.end_impersonation($1, $2, $3)', [tenantId, id, 'olga']);
  return id;
};

const earlier = async (tenantId: string, changes: string): Promise<string> => {
  const id = await begin(tenantId);
  await database.superuser.query(`update registry.impersonations set ${changes} where id = $1`, [id]);
  return id;
};

interface Use {
  readonly capability: string;
  readonly impersonation: string;
  readonly method?: string;
  readonly route?: string;
}

/** What the function says to the bare login, and what the audit log has of the impersonation then. */
async function record({ capability, impersonation, method = 'GET', route = '/projects' }: Use) {
  const { rows } = await database.app.query<{ recorded: boolean }>(
    'select registry.record_impersonated_use($1, $2, $3, $4, $5) as recorded',
    [capability, impersonation, method, route, 'request-1'],
  );
  return { recorded: rows[0]?.recorded, entries: await usesOf(impersonation) };
}

async function usesOf(impersonation: string): Promise<{ actor: string; tenant_id: string; detail: object }[]> {
  const { rows } = await database.superuser.query<{ actor: string; tenant_id: string; detail: object }>(
    `select actor, tenant_id, detail from registry.audit_log
     where action = 'impersonation.used' and detail ->> 'impersonationId' = $1 order by entry`,
    [impersonation],
  );
  return rows;
}

describe('the bare login', () => {
  test('records a use of a live impersonation, with the actor whom the registry knows', async () => {
    const impersonation = await begin('acme', 'otto');
    expect(await record({ capability: capabilityFor('acme'), impersonation })).toEqual({
      recorded: true,
      entries: [
        {
          actor: 'otto',
          tenant_id: 'acme',
          detail: { impersonationId: impersonation, method: 'GET', route: '/projects', requestId: 'request-1' },
        },
      ],
    });
  });

  const otherKey = { keyId: 'k1', secret: Buffer.from('another-key-that-nobody-here-knows') };
  test.each<[string, () => Promise<Use>]>([
    ['another tenant', async () => ({ capability: capabilityFor('acme'), impersonation: await begin('globex') })],
    ['one that was ended', async () => ({ capability: capabilityFor('acme'), impersonation: await ended('acme') })],
    [
      'one that has expired',
      async () => ({
        capability: capabilityFor('acme'),
        impersonation: await earlier(
          'acme',
          `created_at = now() - interval '1 hour', expires_at = now() - interval '1 second'`,
        ),
      }),
    ],
    [
      'an earlier tenant of the same id',
      async () => ({
        capability: capabilityFor('acme'),
        impersonation: await earlier(
          'acme',
          `created_at = now() - interval '30 minutes', expires_at = now() + interval '1 minute'`,
        ),
      }),
    ],
    ['one that there is not', async () => ({ capability: capabilityFor('acme'), impersonation: randomUUID() })],
    [
      'a capability of another key',
      async () => ({ capability: capabilityFor('acme', { key: otherKey }), impersonation: await begin('acme') }),
    ],
    [
      'a capability that has expired',
      async () => ({ capability: capabilityFor('acme', { secondsLeft: -1 }), impersonation: await begin('acme') }),
    ],
    [
      'a capability in another’s name',
      async () => ({
        capability: capabilityFor('globex').replace('globex', 'acme'),
        impersonation: await begin('acme'),
      }),
    ],
    ['no capability', async () => ({ capability: '', impersonation: await begin('acme') })],
  ])('records nothing of %s', async (_, use) => {
    expect(await record(await use())).toEqual({ recorded: false, entries: [] });
  });

  test('cannot fill the log with texts of any length', async () => {
    const impersonation = await begin('acme');
    const long = 'x'.repeat(100_000);
    const { entries } = await record({ capability: capabilityFor('acme'), impersonation, method: long, route: long });
    expect(JSON.stringify(entries).length).toBeLessThan(1_000);
  });

  test.each([
    'select * from registry.impersonations',
    'select * from registry.audit_log',
    `insert into registry.audit_log (actor, action, tenant_id, detail) values ('olga', 'x', 'acme', '{}')`,
    `insert into registry.impersonations select * from registry.impersonations`,
    `select registry.begin_impersonation('{}')`,
    `select registry.end_impersonation('acme', gen_random_uuid(), 'olga')`,
  ])('can do nothing else about it: %s', async (sql) => {
    await expect(database.app.query(sql)).rejects.toMatchObject({ code: '42501' });
  });
});

describe('SQL that is injected into an impersonated request', () => {
  const call = (capability: string, impersonation: string): string =>
    `registry.record_impersonated_use('${capability}', '${impersonation}', 'GET', '/forged', 'forged')`;
  const attempts: Readonly<Record<string, (use: string) => string>> = {
    'a select': (use) => `select ${use} as a`,
    'a write': (use) => `insert into projects (name) select 'x' where ${use} returning name`,
    'many at once': (use) => `with w as (insert into projects (name) values ('x') returning name)
      select ${use} as a from generate_series(1, 1000)`,
    'without its capability': (use) =>
      `insert into projects (name) select 'x' where set_config('tenancy.capability', '', true) = '' and ${use} returning name`,
    'in a condition of a policy’s table': (use) => `update projects set name = 'x' where ${use} returning name`,
  };

  test.each(Object.entries(attempts))('adds no entry, not even of its own tenant: %s', async (_, statement) => {
    const capability = capabilityFor('acme');
    const impersonation = await begin('acme');
    await database.app.query(`select * from tenancy.run($1, 'pool', $2)`, [
      capability,
      'insert into projects (name) values (gen_random_uuid()::text) returning name',
    ]);
    for (const door of [
      `select * from tenancy.run($1, 'pool', $2, '[]', false)`,
      `select * from tenancy.run_batch($1, 'pool', jsonb_build_array(jsonb_build_object('statement', $2::text)))`,
    ]) {
      const sql = statement(call(capability, impersonation));
      await expect(database.app.query(door, [capability, sql]), door).rejects.toMatchObject({ code: '42501' });
    }
    expect(await usesOf(impersonation)).toEqual([]);
  });
});

describe('the control plane', () => {
  test('begins and ends impersonations through functions that write the audit log, and in no other way', async () => {
    for (const sql of [
      `insert into registry.impersonations select * from registry.impersonations`,
      `update registry.impersonations set ended_at = null`,
      `delete from registry.impersonations`,
    ]) {
      await expect(control.query(sql), sql).rejects.toMatchObject({ code: '42501' });
    }
  });
});

test('the authorizer looks impersonations up, and changes none', async () => {
  const authorizer = await database.connectAs('authorizer');
  await authorizer.query('select * from registry.impersonations');
  await expect(authorizer.query('update registry.impersonations set ended_at = null')).rejects.toMatchObject({
    code: '42501',
  });
  await expect(authorizer.query(`select registry.begin_impersonation('{}')`)).rejects.toMatchObject({ code: '42501' });
});

test('the audit finds nothing', async () => {
  expect((await database.owner.query('select * from tenancy.audit()')).rows).toEqual([]);
});

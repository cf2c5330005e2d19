import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';

let database: TestDatabase;
let control: Client;
beforeAll(async () => {
  database = await createTestDatabase();
  await database.addTenants('acme', 'globex');
  control = await database.connectAs('control');
});
afterAll(() => database[Symbol.asyncDispose]());

describe('the audit log', () => {
  const insert = `insert into registry.audit_log (actor, action, tenant_id, detail) values ('olga', 'test', 'acme', '{}')`;

  it('takes entries of the control plane, which can neither change nor delete them', async () => {
    await control.query(insert);
    for (const statement of ['update registry.audit_log set actor = $$x$$', 'delete from registry.audit_log']) {
      await expect(control.query(statement)).rejects.toMatchObject({ code: '42501' });
    }
  });

  it.each([
    'update registry.audit_log set actor = $$x$$',
    'delete from registry.audit_log',
    'truncate registry.audit_log',
  ])('refuses its owner: %s', async (statement) => {
    await expect(database.owner.query(statement)).rejects.toMatchObject({
      code: '42501',
      message: expect.stringContaining('append-only'),
    });
  });
});

describe('the control plane', () => {
  it('cannot rewrite an event, only say that it was published', async () => {
    await control.query(`select registry.emit('acme', 'activateRequest', '{}')`);
    await expect(control.query(`update registry.events set detail = '{}'`)).rejects.toMatchObject({ code: '42501' });
    await expect(control.query('delete from registry.events')).rejects.toMatchObject({ code: '42501' });
    await control.query('update registry.events set published_at = now()');
  });

  it('cannot reach placements but through its functions', async () => {
    await expect(control.query('select * from tenancy.placements')).rejects.toMatchObject({ code: '42501' });
    await expect(control.query(`select tenancy.set_placement('acme', 'pool', 'moved')`)).rejects.toMatchObject({
      code: '42501',
    });
  });
});

it('application code can call none of the functions of the registry but to find its own placement, and to record what an operator does in its name', async () => {
  const { rows } = await database.superuser.query(
    `select p.proname from pg_proc p where p.pronamespace = 'registry'::regnamespace
     and (has_function_privilege('tenantry_app', p.oid, 'execute') or has_function_privilege('tenantry_authorizer', p.oid, 'execute'))
     order by p.proname`,
  );
  expect(rows).toEqual([{ proname: 'current_placement' }, { proname: 'record_impersonated_use' }]);
});

it('the audit finds nothing', async () => {
  await database.owner.query(`select tenancy.set_placement('globex', 'pool', 'active')`);
  const { rows } = await database.owner.query('select * from tenancy.audit()');
  expect(rows).toEqual([]);
});

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { choosePlacement } from '../../functions/control-plane/placement.ts';
import { mainCluster, mainDatabase, poolSchema } from '../../shared/contract/index.ts';
import { countTenants, createOperation } from '../../shared/control/index.ts';
import { startControlRegistry } from '../helpers/control-registry.ts';
import type { TestTenantDatabase } from '../helpers/tenant-database.ts';

let database: TestTenantDatabase;
beforeAll(async () => {
  database = await startControlRegistry();
});
afterAll(() => database[Symbol.asyncDispose]());
beforeEach(async () => {
  await database.postgres.superuser.query('truncate registry.operations, registry.tenants cascade');
});

const clusters = { [mainCluster]: { models: ['bridge'], limits: { bridge: 2 }, drained: false } } as const;

/** Has a tenant onboarded as the control plane does, as far as it is written down. */
async function ask(tenantId: string, idempotencyKey = tenantId): Promise<string> {
  const placement = await choosePlacement(tenantId, { model: 'bridge' }, clusters);
  const input = { name: 'New', plan: 'free', placement } as const;
  return (await createOperation({ kind: 'onboard', tenantId, input, actor: 'olga', idempotencyKey })).id;
}

test('tenants that were asked for and are not yet registered fill a cluster', async () => {
  await ask('first');
  await ask('second');
  await expect(ask('third')).rejects.toMatchObject({
    code: 'no-capacity',
    message: expect.stringContaining(`${mainCluster} has 2 of 2`),
  });
});

test('the same request finds the place that it has taken, also where that was the last one', async () => {
  await ask('first');
  expect(await ask('second', 'once')).toBe(await ask('second', 'once'));
});

test('a tenant is counted once, from when it is asked for, and no more once its onboarding has failed', async () => {
  const bridges = [{ cluster: mainCluster, model: 'bridge', total: 1 }];
  const id = await ask('first');
  expect(await countTenants('another')).toEqual(bridges);
  const { superuser } = database.postgres;
  await superuser.query(
    `insert into registry.tenants (tenant_id, name, plan, state, model, cluster, database, schema)
     values ('first', 'First', 'free', 'onboarding', 'bridge', $1, $2, $3)`,
    [mainCluster, mainDatabase, poolSchema],
  );
  expect(await countTenants('another')).toEqual(bridges);
  await superuser.query(`delete from registry.tenants`);
  await superuser.query(
    `update registry.operations set state = 'failed', error = '{}', ended_at = now() where id = $1`,
    [id],
  );
  expect(await countTenants('another')).toEqual([]);
});

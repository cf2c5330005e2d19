import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { changeLimits } from '../../functions/control-plane/limits.ts';
import { onboard } from '../../functions/control-plane/operations.ts';
import { choosePlacement } from '../../functions/control-plane/placement.ts';
import {
  mainCluster,
  mainDatabase,
  planNames,
  plans,
  poolSchema,
  tenantHomeName,
} from '../../shared/contract/index.ts';
import { countTenants, createOperation } from '../../shared/control/index.ts';
import { enterOperator, runInTenantScope } from '../../shared/tenancy/index.ts';
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
  const placement = await choosePlacement(tenantId, { plan: 'free', model: 'bridge' }, clusters);
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

test.each(planNames)('a tenant of the plan %s lives as its plan has it, unless told otherwise', async (plan) => {
  const roomy = { [mainCluster]: { models: ['pool', 'bridge', 'silo'], limits: {}, drained: false } } as const;
  const model = plans[plan].placement;
  const home = tenantHomeName('acme');
  const homes = {
    pool: { database: mainDatabase, schema: poolSchema },
    bridge: { database: mainDatabase, schema: home },
    silo: { database: home, schema: home },
  };
  await expect(choosePlacement('acme', { plan }, roomy)).resolves.toEqual({
    model,
    cluster: mainCluster,
    ...homes[model],
  });
  await expect(choosePlacement('acme', { plan, model: 'bridge' }, roomy)).resolves.toMatchObject({ model: 'bridge' });
});

test('where nobody has room for what the plan has, that is said as if it had been asked for', async () => {
  const [asked, ofPlan] = await Promise.all(
    [{ plan: 'free', model: 'silo' } as const, { plan: 'enterprise' } as const].map((wish) =>
      choosePlacement('acme', wish, clusters).catch((error: unknown) => error),
    ),
  );
  expect(ofPlan).toMatchObject({ code: 'no-capacity', message: expect.stringContaining('takes no silo tenants') });
  expect(ofPlan).toEqual(asked);
});

const starter = { start: () => Promise.resolve() };
const asOlga = <T>(work: () => Promise<T>): Promise<T> =>
  runInTenantScope(() => {
    enterOperator({ operatorId: 'olga' });
    return work();
  });

test('a repeated request to onboard is the same operation, also when there is no room any more', async () => {
  const request = (tenantId: string, key: string, on: Parameters<typeof onboard>[2]['clusters'] = clusters) =>
    asOlga(() => onboard({ tenantId, name: 'New', plan: 'pro' }, key, { starter, clusters: on }));
  const { id } = await request('first', 'first');
  await request('second', 'second');
  await expect(request('third', 'third')).rejects.toMatchObject({ code: 'no-capacity' });
  const full = { [mainCluster]: { ...clusters[mainCluster], limits: { bridge: 0 }, drained: true } };
  await expect(request('first', 'first', full)).resolves.toMatchObject({
    id,
    input: { placement: { model: 'bridge' } },
  });
  await expect(request('third', 'first', full)).rejects.toMatchObject({ code: 'idempotency-key-reused' });
});

test('a repeated request for limits is the same operation, also when the plan grants less, or the tenant is gone', async () => {
  const { superuser } = database.postgres;
  await superuser.query(
    `insert into registry.tenants (tenant_id, name, plan, model, cluster, database, schema)
     values ('acme', 'Acme', 'enterprise', 'pool', $1, $2, $3)`,
    [mainCluster, mainDatabase, poolSchema],
  );
  const request = (key: string, burst = 100) => asOlga(() => changeLimits('acme', { burst }, key, starter));
  const { id } = await request('once');
  await superuser.query(`update registry.tenants set plan = 'free'`);
  await expect(request('once')).resolves.toMatchObject({ id });
  await expect(request('another')).rejects.toMatchObject({ code: 'limits-above-plan' });
  await superuser.query('delete from registry.tenants');
  await expect(request('once')).resolves.toMatchObject({ id });
  await expect(request('once', 50)).rejects.toMatchObject({ code: 'idempotency-key-reused' });
  await expect(request('another')).rejects.toMatchObject({ code: 'not-found' });
});

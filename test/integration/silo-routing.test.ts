import { afterAll, beforeAll, expect, test } from 'vitest';
import { dropSilo } from '../../functions/migrate/silo.ts';
import { mainCluster } from '../../shared/contract/index.ts';
import { openTenantDatabase, type TenantDatabase } from '../../shared/database/tenant-database.ts';
import type { Placement } from '../../shared/tenancy/index.ts';
import { type SiloRunner, startSiloRunner } from '../helpers/silo-runner.ts';

let runner: SiloRunner;
let db: TenantDatabase;
beforeAll(async () => {
  runner = await startSiloRunner();
  db = openTenantDatabase(runner.api.config);
});
afterAll(() => runner[Symbol.asyncDispose]());

const write = (name: string) => db.insertInto('projects').values({ name }).execute();
const read = () => db.selectFrom('projects').select('name').execute();

/** Puts a tenant into the pool, as the end of a move does. */
async function settleInPool(tenantId: string): Promise<void> {
  const { owner, superuser, placement } = runner.api.postgres;
  await owner.query(`select tenancy.place($1, 'pool', 'active')`, [tenantId]);
  await superuser.query(
    `update registry.tenants set model = 'pool', database = $2, schema = 'pool', secret_arn = null where tenant_id = $1`,
    [tenantId, placement.database],
  );
}

/** Leaves the database, takes only its login away, or its role: what a request meets while one is being dropped. */
const ends: Readonly<Record<string, (tenantId: string, placement: Placement) => Promise<unknown>>> = {
  'is left over': async (tenantId, { database }) => {
    const operations = await runner.connect('tenantry_operations', database);
    await operations.query(`select tenancy.place($1, $2, 'suspended')`, [tenantId, database]);
    await operations.query('select tenancy.displace($1)', [tenantId]);
  },
  'is dropped': (_, { database }) => runner.api.postgres.superuser.query(`drop database ${database} with (force)`),
  'is dropped with its role and its login': (tenantId) => dropSilo({ tenantId, cluster: mainCluster }, runner.system),
};

const works: Readonly<Record<string, (name: string) => Promise<unknown>>> = {
  statement: write,
  batch: (name) => db.batch([db.insertInto('projects').values({ name })]),
  transaction: (name) =>
    db.transaction().execute((transaction) => transaction.insertInto('projects').values({ name }).execute()),
};
const lookUps = () =>
  runner.api.calls.filter(({ request }) => JSON.stringify(request).includes('current_placement')).length;

test.each(Object.keys(ends).flatMap((end) => Object.keys(works).map((work) => [work, end] as const)))(
  'a %s follows its tenant from a database of its own that %s, by one look-up',
  async (work, end) => {
    const tenantId = runner.newTenant();
    const placement = await runner.addSilo(tenantId);
    await runner.api.as(tenantId, () => write('In the silo'), { placement });
    expect(await runner.api.as(tenantId, read, { placement })).toEqual([{ name: 'In the silo' }]);
    await ends[end]?.(tenantId, placement);
    await runner.api.server.closeIdleConnections();
    await settleInPool(tenantId);
    runner.api.calls.length = 0;
    await runner.api.as(tenantId, async () => works[work]?.('In the pool'), { placement });
    expect(lookUps()).toBe(1);
    if (work !== 'transaction') expect(runner.api.calls).toHaveLength(3);
    expect(await runner.api.as(tenantId, read, { placement })).toEqual([{ name: 'In the pool' }]);
  },
);

test('a tenant is followed to the login that its database has now', async () => {
  const tenantId = runner.newTenant();
  const placement = await runner.addSilo(tenantId);
  const before = { ...placement, secretArn: `${placement.secretArn}x` };
  expect(await runner.api.as(tenantId, read, { placement: before })).toEqual([]);
});

test('a tenant whose login is gone, and who has not moved, is told so at once', async () => {
  const tenantId = runner.newTenant();
  const placement = await runner.addSilo(tenantId);
  await runner.api.postgres.superuser.query(`alter role ${placement.database} nologin`);
  await runner.api.server.closeIdleConnections();
  runner.api.calls.length = 0;
  await expect(runner.api.as(tenantId, read, { placement })).rejects.toMatchObject({
    code: 'internal',
    sqlState: '28000',
  });
  expect(runner.api.calls).toHaveLength(2);
});

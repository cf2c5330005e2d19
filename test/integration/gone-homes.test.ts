import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { tenantHomeName } from '../../shared/contract/index.ts';
import { readOperation } from '../../shared/control/operations.ts';
import type { Operation } from '../../shared/control/operations-schema.ts';
import {
  noTurn,
  type OperationWorld,
  startOperationWorld,
  type TestSubject,
} from '../helpers/operations/operation-world.ts';
import { placementIn, type Scenario } from '../helpers/operations/scenarios.ts';

vi.hoisted(() => {
  process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';
});

let world: OperationWorld;
beforeAll(async () => {
  world = await startOperationWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const query = (sql: string, parameters: readonly unknown[] = []) =>
  world.database.postgres.superuser.query<Record<string, unknown>>(sql, [...parameters]);

async function perform(kind: Scenario, { tenantId, ports }: TestSubject, more: object = {}): Promise<Operation> {
  const operationId = await world.ask(kind, tenantId, more);
  await world.run(operationId, ports);
  const operation = await readOperation(operationId);
  if (!operation) throw new Error('There is no operation.');
  return operation;
}

/** A tenant whose database somebody has dropped. */
async function withoutDatabase(): Promise<TestSubject> {
  const subject = await world.prepare('offboard a silo');
  await query(`drop database ${tenantHomeName(subject.tenantId)} with (force)`);
  return subject;
}

/** A tenant of a cluster that the stage has no more. What it had there was never on another one. */
async function withoutCluster(scenario: Scenario): Promise<TestSubject> {
  const subject = await world.prepare(scenario);
  const { tenantId, ports } = subject;
  const home = { tenantId, placement: placementIn(scenario, tenantId, world.database.postgres.placement), ...noTurn };
  await ports.homes.place(home, 'suspended');
  while ((await ports.rows.erase(home, 1000)) > 0);
  await ports.homes.displace(home);
  await query(`update registry.tenants set cluster = 'old' where tenant_id = $1`, [tenantId]);
  return subject;
}

const stateOf = async (tenantId: string): Promise<unknown> =>
  (await query('select state from registry.tenants where tenant_id = $1', [tenantId])).rows[0]?.['state'];

describe('a tenant whose database is gone', () => {
  it('is offboarded without an export, with a proof that says that it was gone', async () => {
    const subject = await withoutDatabase();
    const operation = await perform('offboard', subject, { export: false });
    expect(operation).toMatchObject({ state: 'succeeded', error: null });
    const said = `There is no database ${tenantHomeName(subject.tenantId)} on the cluster main.`;
    expect(operation.result).toMatchObject({ proof: { absent: said, homeWasGone: said, apiKeys: 0, secrets: 0 } });
    await expect(stateOf(subject.tenantId)).resolves.toBeUndefined();
    await expect(world.secrets.secrets.find(subject.tenantId)).resolves.toEqual([]);
  });

  it.each(['suspend', 'offboard', 'export'] as const)(
    'fails to %s with a remedy, and stays free for other operations',
    async (kind) => {
      const subject = await withoutDatabase();
      const operation = await perform(kind, subject);
      expect(operation).toMatchObject({
        state: 'failed',
        error: {
          code: 'home-gone',
          remedy:
            'Nothing is left of it. Restore the database from a backup, or offboard the tenant without an export.',
        },
      });
      await expect(stateOf(subject.tenantId)).resolves.toBe('active');
      await expect(perform('offboard', subject, { export: false })).resolves.toMatchObject({ state: 'succeeded' });
    },
  );
});

describe('a tenant on a cluster that the stage has no more', () => {
  it.each(['offboard', 'offboard a bridge', 'offboard a silo'] as const)(
    'is offboarded all the same, and the proof says so: %s',
    async (scenario) => {
      const subject = await withoutCluster(scenario);
      await expect(perform('suspend', subject)).resolves.toMatchObject({ error: { code: 'home-gone' } });
      const operation = await perform('offboard', subject, { export: false });
      expect(operation).toMatchObject({ state: 'succeeded', error: null });
      expect(operation.result).toMatchObject({
        proof: { absent: 'There is no cluster old in the configuration.' },
      });
      await expect(world.secrets.secrets.find(subject.tenantId)).resolves.toEqual([]);
    },
  );
});

it('a database that was dropped by offboarding is looked for by the proof', async () => {
  const subject = await world.prepare('offboard a silo');
  const { result } = await perform('offboard', subject, { export: false });
  expect(result).toMatchObject({ proof: { absent: expect.stringContaining('There is no database') } });
  expect(result?.['proof']).not.toHaveProperty('homeWasGone');

  const kept = await world.prepare('offboard a silo');
  const databases = { ...kept.ports.databases, drop: () => Promise.resolve() };
  const failed = await perform('offboard', { ...kept, ports: { ...kept.ports, databases } }, { export: false });
  expect(failed.error?.message).toContain(`the database ${tenantHomeName(kept.tenantId)}`);
  await kept.ports.databases.drop({
    tenantId: kept.tenantId,
    placement: { ...world.database.postgres.placement, model: 'silo' },
    ...noTurn,
  });
});

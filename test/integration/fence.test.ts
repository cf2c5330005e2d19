import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { poolSchema } from '../../shared/contract/index.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';
import { failureOf, runAs } from '../helpers/run-as.ts';

let database: TestDatabase;
/** Plays whoever ends a tenant's stay. */
let mover: Client;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.addTenants('acme', 'globex');
  mover = await database.connectAs('owner');
});
afterAll(() => database[Symbol.asyncDispose]());
beforeEach(() => setState('active'));
afterEach(() => setState('active'));

const setState = (state: string) =>
  mover.query('select tenancy.set_placement($1, $2, $3)', ['acme', poolSchema, state]);
const insert = (app: Client, tenant = 'acme', name = crypto.randomUUID()) =>
  runAs(app, tenant, 'insert into projects (name) values (%1$L) returning id', [name]);
const count = async (): Promise<number> => {
  const { rows } = await database.superuser.query<{ count: string }>(
    `select count(*) from pool.projects where tenant_id = 'acme'`,
  );
  return Number(rows[0]?.count);
};

/** Resolves once somebody waits for an advisory lock. */
async function untilSomebodyWaits(): Promise<void> {
  for (;;) {
    const { rowCount } = await database.superuser.query(
      `select from pg_locks where locktype = 'advisory' and not granted`,
    );
    if (rowCount) return;
    await sleep(5);
  }
}

describe('the fence', () => {
  it('fails a write that waited out a cut-over with "moved", and nothing is written', async () => {
    await insert(database.app);
    const before = await count();
    await mover.query('begin');
    await mover.query(`select tenancy.set_placement('acme', $1, 'moved')`, [poolSchema]);
    const write = failureOf(insert(database.app));
    await untilSomebodyWaits();
    await mover.query('commit');
    expect(await write).toMatchObject({ code: 'TN004', message: expect.stringContaining('moved') });
    expect(await count()).toBe(before);
  });

  it('lets a write go on that waited for a cut-over which was given up', async () => {
    await mover.query('begin');
    await mover.query(`select tenancy.set_placement('acme', $1, 'moved')`, [poolSchema]);
    const write = insert(database.app);
    await untilSomebodyWaits();
    await mover.query('rollback');
    expect(await write).toHaveLength(1);
  });

  it('makes the cut-over wait for writes in flight', async () => {
    const writer = await database.connectAs('app');
    await writer.query('begin');
    await insert(writer);
    let cutOver = false;
    const moved = setState('moved').then(() => {
      cutOver = true;
    });
    await untilSomebodyWaits();
    expect(cutOver).toBe(false);
    await writer.query('commit');
    await moved;
    expect(cutOver).toBe(true);
  });

  it('loses no acknowledged write of eight writers across a cut-over', async () => {
    const before = await count();
    const writers = await Promise.all(Array.from({ length: 8 }, () => database.connectAs('app')));
    let acknowledged = 0;
    const failures = Promise.all(
      writers.map(async (writer) => {
        for (;;) {
          try {
            await insert(writer);
            acknowledged += 1;
          } catch (error) {
            return (error as { code: string }).code;
          }
        }
      }),
    );
    while (acknowledged < 400) await sleep(5);
    await mover.query('begin');
    await mover.query(`select tenancy.set_placement('acme', $1, 'moved')`, [poolSchema]);
    const atCutOver = await count();
    await mover.query('commit');
    expect(await failures).toEqual(Array.from({ length: 8 }, () => 'TN004'));
    expect(await count()).toBe(before + acknowledged);
    expect(await count(), 'nothing was written behind the cut-over').toBe(atCutOver);
  });

  it('refuses writes of a moving tenant and goes on with its reads', async () => {
    await setState('moving');
    expect(await failureOf(insert(database.app))).toMatchObject({ code: 'TN006' });
    expect(await runAs(database.app, 'acme', 'select count(*) from projects')).toHaveLength(1);
  });

  it('refuses everything of a suspended tenant at its next statement', async () => {
    await setState('suspended');
    for (const statement of [
      'select 1',
      'select * from projects',
      'update projects set archived = true returning id',
    ]) {
      expect(await failureOf(runAs(database.app, 'acme', statement))).toMatchObject({ code: 'TN005' });
    }
  });

  it('does not hold up another tenant', async () => {
    await mover.query('begin');
    await mover.query(`select tenancy.set_placement('acme', $1, 'moved')`, [poolSchema]);
    expect(await insert(database.app, 'globex')).toHaveLength(1);
    await mover.query('rollback');
  });

  it.each(['repeatable read', 'serializable'])(
    'refuses writes under %s, where it would see the past',
    async (level) => {
      const app = await database.connectAs('app');
      await app.query(`begin isolation level ${level}`);
      expect(await failureOf(insert(app))).toMatchObject({ code: 'TN007' });
      await app.query('rollback');
    },
  );

  it('fails a statement that swaps the capability half-way', async () => {
    await insert(database.app);
    await insert(database.app, 'globex');
    const { capabilityFor } = await import('../helpers/capability.ts');
    const swap = `with swapped as materialized (select set_config('tenancy.capability', %1$L, true))
      update projects set archived = true from swapped where tenant_id = 'globex' returning id`;
    const foreign = capabilityFor('globex', {
      key: { keyId: 'k1', secret: Buffer.from('not-the-key-of-the-database-0123456789') },
    });
    const outcome = await runAs(database.app, 'acme', swap, [foreign]).catch((error: { code: string }) => error.code);
    expect(['TN002', []]).toContainEqual(outcome);
    const { rows } = await database.superuser.query(
      `select from pool.projects where tenant_id = 'globex' and archived`,
    );
    expect(rows).toEqual([]);
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';
import { Ledger } from './soak/ledger.ts';
import { programOf } from './soak/program.ts';
import { expectOwnRowsOnly, whatIsHeld } from './soak/traces.ts';

/** What the soak looks for after a run, found in a database where it was put on purpose. */
let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await createTestDatabase();
  await postgres.superuser.query('alter table pool.projects disable trigger fence');
});
afterAll(() => postgres[Symbol.asyncDispose]());

const own = (index: number) => `('tenant-1', 'tenant-1 noticed/${index}', 'noticed')`;
const stray = `('tenant-2', 'tenant-1 noticed/1', 'noticed')`;
const unknown = `('tenant-1', 'tenant-1 else', 'else')`;

/** What contradicts that the tenant was told of two rows, when the table holds these. */
async function contradictions(rows: readonly string[], version = 1): Promise<readonly string[]> {
  const ledger = new Ledger(1);
  const program = programOf('noticed', { kind: 'insert', rows: 2 });
  ledger.record({ tenant: 0, program, pick: 0, inProcess: false, isHurried: false }, 'acknowledged');
  const counter = `('tenant-1', 'tenant-1 counter', 'counter')`;
  await postgres.superuser.query(`
    truncate pool.projects, pool.tasks;
    insert into pool.projects (tenant_id, name, description) values ${[counter, ...rows].join()};
    update pool.projects set version = ${version} where description = 'counter'`);
  return ledger.contradictions(postgres.superuser, ['tenant-1']);
}

describe('the ledger notices', () => {
  test('nothing when all is well', async () => {
    expect(await contradictions([own(0), own(1)])).toEqual([]);
  });

  test('that an acknowledged write is gone, or half of it', async () => {
    expect(await contradictions([])).toEqual([expect.stringContaining('noticed left 0 of 2 rows')]);
    expect(await contradictions([own(0)])).toEqual([expect.stringContaining('noticed left 1 of 2 rows')]);
  });

  test('a row that is with another tenant', async () => {
    expect(await contradictions([own(0), stray])).toContain('noticed wrote to tenant-2');
  });

  test('a row that nobody has written, and a change that was made twice', async () => {
    expect(await contradictions([own(0), own(1), unknown])).toEqual(['else is unknown']);
    expect(await contradictions([own(0), own(1)], 2)).toEqual(['tenant-1 counted 1, and was told of 0 to 0']);
  });
});

test("another tenant's row in an answer is noticed", () => {
  expect(() => expectOwnRowsOnly('["tenant-1 #1/0", "tenant-2 #1/0"]', 'tenant-1', '')).toThrow('tenant-2');
});

test('an open transaction is noticed, and what it locks', async () => {
  const client = await postgres.connectAs('superuser');
  await client.query('begin; lock table pool.tasks in row share mode');
  const expected = [
    expect.stringMatching(/^transaction of .*lock table pool.tasks/),
    expect.stringContaining('relation lock'),
  ];
  expect(await whatIsHeld(postgres)).toEqual(expect.arrayContaining(expected));
  await client.query('rollback');
  expect(await whatIsHeld(postgres)).toEqual([]);
});

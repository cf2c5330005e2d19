import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Fault, faults } from './soak/fault-proxy.ts';
import { type Program, programOf } from './soak/program.ts';
import { expectNothingHeld, expectOwnRowsOnly, expectUntouched, rowsOf } from './soak/traces.ts';
import { startWorld, type World } from './soak/world.ts';

/**
 * An invocation that breaks off in the middle, and the one of another tenant that comes right after it: through the same process where
 * that lives on, and over the only connection that the database has for them.
 */
let world: World;
let strike: { readonly at: number; readonly fault: Fault } | undefined;
let operations = 0;
beforeAll(async () => {
  world = await startWorld({
    tenantIds: ['tenant-1', 'tenant-2'],
    choose: (call) => (call === strike?.at ? strike.fault : undefined),
    maxProcesses: 1,
    dataApi: { connectionLimit: 1 },
  });
  await world.callHere('tenant-2', programOf('theirs', { kind: 'insert' }));
  await world.callHere('tenant-1', programOf('counter', { kind: 'insert', rows: 1 }));
});
afterAll(() => world[Symbol.asyncDispose]());

const broken = (changes: Partial<Program> = {}): Program => programOf(`broken ${(operations += 1)}`, changes);

describe('a transaction leaves all or nothing, and the next tenant finds only its own, when', () => {
  // begin, three inserts, the count, two reads, commit
  const calls = [0, 1, 2, 3, 4, 5, 6, 7];

  test.each(faults.flatMap((fault) => calls.map((call) => ({ fault, call }))))(
    'call $call meets a $fault',
    async ({ fault, call }) => {
      const program = broken();
      strike = { at: world.proxy.calls + call, fault };
      const struckBefore = world.proxy.struck[fault];
      const answer = await world.callHere('tenant-1', program, fault === 'stall' ? 1_000 : 20_000);
      strike = undefined;
      expect(world.proxy.struck[fault]).toBe(struckBefore + 1);
      expectOwnRowsOnly(answer.body, 'tenant-1', answer.body);
      await expectUntouched(world.callHere);
      expect([0, 3]).toContain(await rowsOf(world, program));
      if (answer.status === 200) expect(await rowsOf(world, program)).toBe(3);
    },
  );

  test.each([0, 1, 2, 3, 4])('the application throws before statement %i', async (failsAt) => {
    const program = broken({ failsAt });
    expect(await world.callHere('tenant-1', program)).toMatchObject({ status: 400 });
    expect(await rowsOf(world, program)).toBe(0);
    await expectUntouched(world.callHere);
  });

  test.each([0, 1, 2, 3, 4])('the application swallows the error of statement %i', async (failsAt) => {
    const program = broken({ failsAt, failure: 'swallows' });
    expect(await world.callHere('tenant-1', program)).toMatchObject({ status: 500 });
    expect(await rowsOf(world, program)).toBe(0);
    await expectUntouched(world.callHere);
  });
});

describe('a process of the function', () => {
  test('ends with a rejection that nobody handles; the next tenant gets a fresh one', async () => {
    const program = broken({ failsAt: 1, failure: 'rejects' });
    expect(await world.callThere('tenant-1', program)).toBeUndefined();
    expect(world.crashes.at(-1)).toContain('Left behind by tenant-1.');
    await expectUntouched(world.callThere);
    expect(await rowsOf(world, program)).toBe(0);
  });

  test('ends with a rejection that comes after its answer; no later answer tells of it', async () => {
    const program = broken({ kind: 'floating', failure: 'rejects' });
    expect(await world.callThere('tenant-1', program)).toMatchObject({ status: 200 });
    const crashes = world.crashes.length;
    // As on Lambda, an event that comes just then is lost with the process. What was left behind is over once its row is there.
    const answers = [await world.callThere('tenant-2', programOf('next', { kind: 'read' }))];
    await vi.waitFor(async () => expect(await rowsOf(world, program)).toBeGreaterThan(0), 10_000);
    await sleep(300);
    answers.push(await world.callThere('tenant-2', programOf('next', { kind: 'read' })));
    for (const answer of answers) expectOwnRowsOnly(answer?.body ?? '', 'tenant-2', answer?.body ?? '');
    expect(world.crashes.length).toBe(crashes + answers.filter((answer) => answer === undefined).length);
    await expectUntouched(world.callThere);
  });

  test('ends in the middle of a transaction, which leaves nothing and no lock', async () => {
    const program = broken({ failsAt: 2, failure: 'exits' });
    expect(await world.callThere('tenant-1', program)).toBeUndefined();
    expect(world.crashes.at(-1)).toContain('exit status 1');
    await expectUntouched(world.callThere);
    expect(await rowsOf(world, program)).toBe(0);
    await expectNothingHeld(world.tenants.postgres);
  });

  test('is ended by the timeout in the middle of a transaction; the connection goes on clean, for another', async () => {
    const program = broken({ failsAt: 4, failure: 'spins' });
    await expectUntouched(world.callThere);
    const before = await sessions();
    expect(await world.callThere('tenant-1', program)).toBeUndefined();
    expect(world.crashes.at(-1)).toContain('timed out');
    await expectUntouched(world.callThere);
    expect(await sessions()).toEqual(before);
    expect(await rowsOf(world, program)).toBe(0);
    await expectNothingHeld(world.tenants.postgres);
  });

  test('answers 504 while the application still hangs in a transaction, and serves the next tenant', async () => {
    const program = broken({ failsAt: 4, failure: 'hangs' });
    expect(await world.callThere('tenant-1', program)).toMatchObject({ status: 504 });
    await expectUntouched(world.callThere);
    expect(await rowsOf(world, program)).toBe(0);
    await expectNothingHeld(world.tenants.postgres);
  });

  test('goes on with what the application forgot to await, for the tenant of its request alone', async () => {
    const program = broken({ kind: 'floating' });
    expect(await world.callThere('tenant-1', program)).toMatchObject({ status: 200 });
    await expectUntouched(world.callThere);
    await expect.poll(() => rowsOf(world, program)).toBe(3);
    const owners = await world.tenants.postgres.superuser.query(
      'select distinct tenant_id from pool.projects where description = $1',
      [program.operation],
    );
    expect(owners.rows).toEqual([{ tenant_id: 'tenant-1' }]);
  });
});

/** The sessions that the endpoint has for functions. */
async function sessions(): Promise<readonly unknown[]> {
  const query = `select pid from pg_stat_activity where datname = current_database() and application_name = 'rds-data-api'`;
  return (await world.tenants.postgres.superuser.query(query)).rows;
}

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { applyMigrations, readAllMigrations } from '../../shared/database/migrator.ts';
import type { Placement } from '../../shared/tenancy/index.ts';
import { executeWith } from '../helpers/database-template.ts';
import { type Fault, faults } from './soak/fault-proxy.ts';
import { type Program, programOf } from './soak/program.ts';
import { expectOwnRowsOnly, expectUntouched, rowsOf } from './soak/traces.ts';
import { type Answer, startWorld, type World } from './soak/world.ts';

/**
 * Calls that break off outside of transactions: single statements, batches, statements side by side, the question where a tenant lives
 * now, and what Redis is asked. Transactions and processes that end: broken-invocations.test.ts.
 */
let world: World;
/** What happens as the call with this number comes in. */
let strike: { readonly at: number; readonly does: () => Fault | undefined } | undefined;
let operations = 0;
/** Each of them is sent to a former home once: a function remembers where it has gone since. */
const movers = Array.from({ length: 40 }, (_, index) => `tenant-${index + 3}`);
let formerHome: Placement;

beforeAll(async () => {
  world = await startWorld({
    tenantIds: ['tenant-1', 'tenant-2', ...movers],
    choose: (call) => (call === strike?.at ? strike.does() : undefined),
    dataApi: { connectionLimit: 3 },
  });
  const { postgres } = world.tenants;
  const { tenant } = await readAllMigrations('migrations');
  await applyMigrations(executeWith(postgres.owner), 'former', tenant);
  formerHome = { ...postgres.placement, schema: 'former' };
  await world.callHere('tenant-2', programOf('theirs', { kind: 'insert' }));
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(() => {
  strike = undefined;
});

const broken = (changes: Partial<Program>): Program => programOf(`broken ${(operations += 1)}`, changes);

/** Breaks the given call from now on, does `work`, and finds the fault to have struck. */
async function struckBy(fault: Fault, call: number, work: (remainingMs: number) => Promise<Answer>): Promise<Answer> {
  const before = world.proxy.struck[fault];
  strike = { at: world.proxy.calls + call, does: () => fault };
  const answer = await work(fault === 'stall' ? 1_000 : 20_000);
  expect(world.proxy.struck[fault]).toBe(before + 1);
  return answer;
}

/** Written are some of three rows; all, if that was the answer. */
async function expectWritten(
  program: Program,
  tenantId: string,
  answer: Answer,
  some: readonly number[],
): Promise<void> {
  expectOwnRowsOnly(answer.body, tenantId, answer.body);
  await expectUntouched(world.callHere);
  expect(some).toContain(await rowsOf(world, program));
  if (answer.status === 200) expect(await rowsOf(world, program)).toBe(3);
}

const shapes = [
  { kind: 'insert', calls: [0], leaves: 'all or nothing', some: [0, 3] },
  { kind: 'batch', calls: [0], leaves: 'all or nothing', some: [0, 3] },
  { kind: 'parallel', calls: [0, 1, 2], leaves: 'each row once at most', some: [0, 1, 2, 3] },
] as const;

describe.each(shapes)(
  'a request of the kind "$kind" leaves $leaves, and the next tenant finds only its own, when',
  (shape) => {
    test.each(faults.flatMap((fault) => shape.calls.map((call) => ({ fault, call }))))(
      'call $call meets a $fault',
      async ({ fault, call }) => {
        const program = broken({ kind: shape.kind });
        const answer = await struckBy(fault, call, (ms) => world.callHere('tenant-1', program, ms));
        await expectWritten(program, 'tenant-1', answer, shape.some);
      },
    );
  },
);

const nextMover = (): string => movers.shift() ?? 'nobody';

describe('a tenant that has moved is looked for, written for at its home alone, and nobody else notices, when', () => {
  // The former home, which refuses; the registry; the home.
  test.each(faults.flatMap((fault) => [1, 2].map((call) => ({ fault, call }))))(
    'call $call meets a $fault',
    async ({ fault, call }) => {
      const [mover, program] = [nextMover(), broken({ kind: 'insert' })];
      const answer = await struckBy(fault, call, (ms) => world.callHere(mover, program, ms, formerHome));
      await expectWritten(program, mover, answer, [0, 3]);
      const { rows } = await world.tenants.postgres.superuser.query('select from former.projects');
      expect(rows).toEqual([]);
    },
  );
});

describe('Redis', () => {
  const redisFaults: Record<string, () => void> = {
    'is silent': () => world.redisLink.stall(),
    'is slow': () => world.redisLink.delay(300),
  };
  /** The call itself goes through. */
  const silently = (work: () => void) => () => {
    work();
    return undefined;
  };
  const mend = () => {
    world.redisLink.resume();
    world.redisLink.delay(0);
  };
  const cases = Object.entries(redisFaults).flatMap(([fault, breakIt]) =>
    [-1, 0, 1, 2].map((call) => ({
      fault,
      breakIt,
      call,
      moment: call < 0 ? 'before the request' : `at call ${call}`,
    })),
  );

  test.each(cases)(
    'that $fault from $moment on keeps no tenant from its home and its rows',
    async ({ breakIt, call }) => {
      const [mover, program] = [nextMover(), broken({ kind: 'insert' })];
      if (call < 0) breakIt();
      else strike = { at: world.proxy.calls + call, does: silently(breakIt) };
      const answer = await world.callHere(mover, program, 20_000, formerHome);
      expect(answer).toMatchObject({ status: 200 });
      await expectWritten(program, mover, answer, [3]);
      mend();
      await expectUntouched(world.callHere);
    },
  );
});

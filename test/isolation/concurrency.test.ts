import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { currentTenant } from '../../shared/tenancy/index.ts';
import { freshSeed, isSoak } from '../helpers/soak.ts';
import { type Fault, faults } from './soak/fault-proxy.ts';
import { Ledger, type Outcome } from './soak/ledger.ts';
import { type Request, request } from './soak/program.ts';
import { expectNothingHeld, expectOwnRowsOnly } from './soak/traces.ts';
import { type Answer, startWorld, type World } from './soak/world.ts';

const tenantIds = Array.from({ length: 50 }, (_, index) => `tenant-${index + 1}`);
const statementCount = isSoak ? 200_000 : 2_500;
const atOnce = 24;
const seed = isSoak ? freshSeed() : 20_261_123;

let world: World;
beforeAll(async () => {
  // Of a hundred calls so many are struck.
  const shares: Readonly<Record<Fault, number>> = {
    delay: 2,
    stall: 0.3,
    'reset before': 0.5,
    'reset after': 0.5,
    throttling: 1,
    'server error before': 0.5,
    'server error after': 0.5,
  };
  const random = fc.sample(fc.noBias(fc.nat(9_999)), { seed, numRuns: 10_007 });
  const choose = (call: number): Fault | undefined => {
    let left = (random[call % random.length] ?? 0) / 100;
    return faults.find((fault) => (left -= shares[fault]) < 0);
  };
  world = await startWorld({ tenantIds, choose });
  await world.tenants.postgres.superuser.query(`alter table pool.projects disable trigger fence`);
  await world.tenants.postgres.superuser.query(
    `insert into pool.projects (tenant_id, name, description) select id, id || ' counter', 'counter' from unnest($1::text[]) id`,
    [tenantIds],
  );
  await world.tenants.postgres.superuser.query(`alter table pool.projects enable always trigger fence`);
});
afterAll(() => world[Symbol.asyncDispose]());

describe(`${statementCount} statements of ${tenantIds.length} tenants, with everything going wrong (TENANTRY_SEED=${seed})`, () => {
  it(
    "show nobody another's row, keep what was acknowledged, and leave nothing held",
    { timeout: isSoak ? 2_700_000 : 120_000 },
    async () => {
      const ledger = new Ledger(tenantIds.length);
      const tally = new Map<string, number>();
      const startedAt = performance.now();
      const progress = () => report(tally, (performance.now() - startedAt) / 1_000);
      const timer = setInterval(progress, 30_000);
      const requests = endlessRequests();
      const worker = async (): Promise<void> => {
        while (world.statements < statementCount) await serve(requests(), ledger, tally);
      };
      await Promise.all(Array.from({ length: atOnce }, worker)).finally(() => clearInterval(timer));
      progress();

      await expectNothingHeld(world.tenants.postgres);
      expect(await ledger.contradictions(world.tenants.postgres.superuser, tenantIds)).toEqual([]);
      expect(() => currentTenant()).toThrow('No tenant context set');
      for (const fault of faults) expect(world.proxy.struck[fault], fault).toBeGreaterThan(0);
      expect(world.crashes.length).toBeGreaterThan(0);
    },
  );
});

/** Requests without end, each with an operation of its own. */
function endlessRequests(): () => Request {
  let batch: readonly Request[] = [];
  let count = 0;
  return () => {
    const numRuns = 1_000;
    if (count % numRuns === 0) batch = fc.sample(request(tenantIds.length), { seed: seed + count, numRuns });
    const next = batch[count % numRuns];
    count += 1;
    if (!next) throw new Error('There are no requests.');
    return { ...next, program: { ...next.program, operation: `#${count}` } };
  };
}

async function serve(given: Request, ledger: Ledger, tally: Map<string, number>): Promise<void> {
  const { tenant, program, pick, inProcess, isHurried } = given;
  const of = program.kind === 'remove' ? (ledger.takeRemovable(tenant, pick) ?? null) : null;
  const made = { ...given, program: { ...program, of } };
  const tenantId = String(tenantIds[tenant]);
  const answer = inProcess
    ? await world.callThere(tenantId, made.program)
    : await world.callHere(tenantId, made.program, isHurried ? 900 : 20_000);
  const key = `${inProcess ? 'cold ' : ''}${answer?.status ?? 'ended'}`;
  tally.set(key, (tally.get(key) ?? 0) + 1);
  if (answer) expectOwnRowsOnly(answer.body, tenantId, `${JSON.stringify(made.program)} answered ${answer.body}`);
  ledger.record(made, outcomeOf(answer));
}

function outcomeOf(answer: Answer | undefined): Outcome {
  if (answer?.status === 200) return 'acknowledged';
  // What the database refuses, and what the application threw away, was rolled back.
  return answer && answer.status < 500 ? 'refused' : 'unknown';
}

function report(tally: ReadonlyMap<string, number>, seconds: number): void {
  const struck = faults.map((fault) => `${fault} ${world.proxy.struck[fault]}`).join(', ');
  const answers = [...tally].sort().map(([name, count]) => `${name}: ${count}`);
  console.log(
    `${world.statements} statements, ${world.proxy.calls} calls in ${seconds.toFixed(0)} s. Faults: ${struck}, ` +
      `processes ended ${world.crashes.length}. Answers: ${answers.join(', ')}. TENANTRY_SEED=${seed}`,
  );
}

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshSeed, isSoak } from '../helpers/soak.ts';
import { makeTwins, type Twins } from './generated-sql/twins.ts';

const perSeed = isSoak ? 60_000 : 4_000;
const seeds = { fixed: 20_260_104, fresh: freshSeed() };

let twins: Twins;
beforeAll(async () => {
  twins = await makeTwins();
});
afterAll(() => twins[Symbol.asyncDispose]());

describe(`${2 * perSeed} generated statements`, () => {
  it.each(Object.entries(seeds))(
    'are answered alike, whatever other tenants have in their rows, with a %s seed, %d',
    { timeout: 1_800_000 },
    async (_, seed) => {
      const { codes, difference } = await twins.compare(seed, perSeed);
      expect(difference).toBeUndefined();
      for (const code of ['00000', 'TN001', 'TN002', 'TN003', 'TN004', 'TN005', 'TN010', '42501', '23505', '22P02'])
        expect(codes.get(code), `answers with ${code}`).toBeGreaterThan(0);
    },
  );
});

describe('a difference is found', () => {
  // Last, since it stays.
  it('where policies are equalities, and conditions are taken by their costs', { timeout: 600_000 }, async () => {
    for (const { superuser } of twins.databases) {
      await superuser.query(`do $$ begin
        execute replace(pg_get_functiondef('tenancy.enter'::regproc), $s$'cpu_operator_cost', '0'$s$, $s$'cpu_operator_cost', '0.0025'$s$);
      end $$`);
      for (const table of ['projects', 'tasks', 'idempotency_keys'])
        await superuser.query(
          `alter policy tenant on pool.${table} using (tenant_id = (select tenancy.current_tenant('pool')))`,
        );
    }
    const { difference } = await twins.compare(16, 40_000);
    expect(difference).toBeDefined();
  });
});

import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { type ClusterCapacity, type PlacementModel, placementModels } from '../../../shared/contract/index.ts';
import { chooseCluster, type TenantCount } from '../../../shared/control/choose-cluster.ts';
import { AppError } from '../../../shared/errors/index.ts';

type Clusters = Readonly<Record<string, ClusterCapacity>>;

const open: ClusterCapacity = { models: placementModels, limits: {}, drained: false };

const model = fc.constantFrom(...placementModels);
const limit = fc.integer({ min: 1, max: 50 });
const capacity: fc.Arbitrary<ClusterCapacity> = fc.record({
  models: fc.uniqueArray(model, { minLength: 1 }),
  limits: fc.record({ pool: limit, bridge: limit, silo: limit }, { requiredKeys: [] }),
  drained: fc.boolean(),
});
const clusters: fc.Arbitrary<Clusters> = fc.dictionary(fc.constantFrom('main', 'a', 'b', 'c', 'd'), capacity, {
  minKeys: 1,
});
const tenants: fc.Arbitrary<TenantCount[]> = fc.array(
  fc.record({ cluster: fc.constantFrom('main', 'a', 'b', 'c', 'd', 'gone'), model, total: fc.nat(40) }),
);

const countOf = (counts: readonly TenantCount[], cluster: string, of: PlacementModel): number =>
  counts.filter((count) => count.cluster === cluster && count.model === of).reduce((sum, { total }) => sum + total, 0);

/** The cluster, or undefined when there is none. */
function choice(of: PlacementModel, declared: Clusters, counts: readonly TenantCount[]): string | undefined {
  try {
    return chooseCluster(of, declared, counts);
  } catch (error) {
    if (error instanceof AppError && error.code === 'no-capacity') return undefined;
    throw error;
  }
}

describe('the cluster of a new tenant', () => {
  test('is declared, takes the model, is not drained, and has room', () => {
    fc.assert(
      fc.property(model, clusters, tenants, (of, declared, counts) => {
        const chosen = choice(of, declared, counts);
        if (chosen === undefined) return;
        const { models, drained, limits } = declared[chosen] ?? { models: [], drained: true, limits: {} };
        expect(models).toContain(of);
        expect(drained).toBe(false);
        expect(countOf(counts, chosen, of)).toBeLessThan(limits[of] ?? Infinity);
      }),
    );
  });

  test('is found whenever there is such a one', () => {
    fc.assert(
      fc.property(model, clusters, tenants, (of, declared, counts) => {
        const fits = Object.entries(declared).some(
          ([name, { models, drained, limits }]) =>
            models.includes(of) && !drained && countOf(counts, name, of) < (limits[of] ?? Infinity),
        );
        expect(choice(of, declared, counts) !== undefined).toBe(fits);
      }),
    );
  });

  test('is the same for the same question, in whichever order and parts tenants were counted', () => {
    fc.assert(
      fc.property(model, clusters, tenants, (of, declared, counts) => {
        const chosen = choice(of, declared, counts);
        const inParts = counts.flatMap((count) => [
          { ...count, total: Math.floor(count.total / 2) },
          { ...count, total: Math.ceil(count.total / 2) },
        ]);
        expect(choice(of, declared, counts)).toBe(chosen);
        expect(choice(of, declared, inParts.reverse())).toBe(chosen);
      }),
    );
  });

  test('fills clusters evenly: by one tenant of the smallest limit at most', () => {
    const limits = fc.array(limit, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(model, limits, fc.nat(200), (of, each, arrivals) => {
        const names = each.map((_, index) => `c${index}`);
        const declared = Object.fromEntries(
          each.map((most, index) => [`c${index}`, { ...open, limits: { [of]: most } }]),
        );
        const counts: TenantCount[] = [];
        const room = each.reduce((sum, most) => sum + most, 0);
        for (let added = 0; added < Math.min(arrivals, room); added += 1)
          counts.push({ cluster: chooseCluster(of, declared, counts), model: of, total: 1 });
        const shares = names.map((name, index) => countOf(counts, name, of) / (each[index] ?? 1));
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1 / Math.min(...each) + 1e-9);
      }),
    );
  });

  test('is, of equals, the first that is declared and not drained', () => {
    fc.assert(
      fc.property(model, fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }), (of, drained) => {
        const declared = Object.fromEntries(
          drained.map((isDrained, index) => [`c${index}`, { ...open, drained: isDrained }]),
        );
        const first = drained.indexOf(false);
        expect(choice(of, declared, [])).toBe(first < 0 ? undefined : `c${first}`);
      }),
    );
  });

  it('is, of those without a limit, the one with the fewest tenants', () => {
    const counts = [
      { cluster: 'main', model: 'pool', total: 3 },
      { cluster: 'second', model: 'pool', total: 2 },
      { cluster: 'second', model: 'silo', total: 9 },
    ] as const;
    expect(chooseCluster('pool', { main: open, second: open }, counts)).toBe('second');
  });
});

test('When no cluster takes a tenant, the error says of each why, and what to do', () => {
  const declared: Clusters = {
    main: { ...open, models: ['pool', 'bridge'] },
    full: { ...open, limits: { silo: 2 } },
    old: { ...open, drained: true },
  };
  const choose = () => chooseCluster('silo', declared, [{ cluster: 'full', model: 'silo', total: 2 }]);
  expect(choose).toThrow(AppError);
  expect(choose).toThrow(
    'No cluster takes another silo tenant: main takes no silo tenants, full has 2 of 2, old is drained. ' +
      'In the configuration of the stage, raise a limit, set "drained" to false, or declare another cluster; then deploy.',
  );
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { quotaLimits, type QuotaName } from '../../../shared/contract/index.ts';
import { growthPerDay, projectQuota } from '../../../shared/control/project-quota.ts';
import { countsSchema, quotasOf } from '../../../shared/control/quota-counts.ts';

const now = new Date('2026-01-31T12:00:00Z');
const dayMs = 86_400_000;

describe('growth', () => {
  test.each([
    ['of 300 in 30 days', { total: 1_000, recent: 300, observedDays: 30 }, 10],
    ['of 10 in the first two days', { total: 10, recent: 10, observedDays: 2 }, 5],
    ['of 1 in 30 days', { total: 50, recent: 1, observedDays: 30 }, 0.033],
    ['of few tenants', { total: 9, recent: 9, observedDays: 30 }, null],
    ['of less than a day', { total: 500, recent: 500, observedDays: 0.5 }, null],
    ['of none', { total: 500, recent: 0, observedDays: 30 }, null],
    ['of nobody', { total: 0, recent: 0, observedDays: 0 }, null],
  ])('%s', (_, growth, expected) => {
    expect(growthPerDay(growth)).toBe(expected);
  });
});

describe('the projection of a quota', () => {
  test.each<[string, Parameters<typeof projectQuota>[0], ReturnType<typeof projectQuota>]>([
    [
      'says the day on which it is used up',
      { used: 100, limit: 110, growthPerDay: 1 },
      { percent: 90.9, exhaustedOn: '2026-02-10', warning: true },
    ],
    [
      'rounds days up',
      { used: 1, limit: 10, growthPerDay: 4 },
      { percent: 10, exhaustedOn: '2026-02-03', warning: false },
    ],
    [
      'says today when it is used up',
      { used: 12, limit: 10, growthPerDay: null },
      { percent: 120, exhaustedOn: '2026-01-31', warning: true },
    ],
    [
      'says nothing without growth',
      { used: 79, limit: 100, growthPerDay: null },
      { percent: 79, exhaustedOn: null, warning: false },
    ],
    [
      'warns at 80 percent',
      { used: 80, limit: 100, growthPerDay: null },
      { percent: 80, exhaustedOn: null, warning: true },
    ],
    [
      'says nothing of what is centuries away',
      { used: 0, limit: 500_000, growthPerDay: 0.001 },
      { percent: 0, exhaustedOn: null, warning: false },
    ],
    [
      'says nothing of what is not limited',
      { used: 5, limit: null, growthPerDay: 7 },
      { percent: null, exhaustedOn: null, warning: false },
    ],
  ])('%s', (_, usage, expected) => {
    expect(projectQuota(usage, now)).toEqual(expected);
  });

  const usages = fc.record({
    used: fc.nat(1_000_000),
    limit: fc.integer({ min: 1, max: 1_000_000 }),
    growthPerDay: fc.oneof(fc.constant(null), fc.double({ min: 0.001, max: 10_000, noNaN: true })),
  });
  const daysUntil = (date: string): number =>
    Math.round((Date.parse(date) - Date.parse(now.toISOString().slice(0, 10))) / dayMs);

  test('names the first day on which growth has reached the limit', () => {
    fc.assert(
      fc.property(usages, (usage) => {
        const { exhaustedOn } = projectQuota(usage, now);
        if (exhaustedOn === null) return;
        const days = daysUntil(exhaustedOn);
        const usedAfter = (count: number) => usage.used + count * (usage.growthPerDay ?? 0);
        expect(usedAfter(days)).toBeGreaterThanOrEqual(usage.limit - 1e-6);
        if (days > 0) expect(usedAfter(days - 1)).toBeLessThan(usage.limit);
      }),
    );
  });

  test('is never later when more is used or more come, and never earlier when there is more room', () => {
    const dayOf = (usage: Parameters<typeof projectQuota>[0]) => projectQuota(usage, now).exhaustedOn ?? '9999';
    fc.assert(
      fc.property(usages, fc.nat(1_000), (usage, more) => {
        expect(dayOf({ ...usage, used: usage.used + more }) <= dayOf(usage)).toBe(true);
        expect(dayOf({ ...usage, limit: usage.limit + more }) >= dayOf(usage)).toBe(true);
        if (usage.growthPerDay !== null) {
          expect(dayOf({ ...usage, growthPerDay: usage.growthPerDay + more }) <= dayOf(usage)).toBe(true);
        }
      }),
    );
  });

  test('warns whenever it says 80 percent or more, but for rounding', () => {
    fc.assert(
      fc.property(usages, (usage) => {
        const { percent, warning } = projectQuota(usage, now);
        if (percent !== null && Math.abs(percent - 80) > 0.1) expect(warning).toBe(percent >= 80);
      }),
    );
  });
});

describe('quotas', () => {
  const counted = countsSchema.parse({
    observedDays: 30,
    groups: [
      { plan: 'free', model: 'pool', cluster: 'main', total: 8_500, recent: 600 },
      { plan: 'pro', model: 'bridge', cluster: 'main', total: 300, recent: 90 },
      { plan: 'enterprise', model: 'silo', cluster: 'second', total: 20, recent: 3 },
    ],
    keys: { total: 8_720, recent: 693 },
    places: [
      { cluster: 'main', databases: 1, schemas: 301 },
      { cluster: 'second', databases: 20, schemas: 20 },
    ],
  });
  const connections = [
    { cluster: 'main', used: 30, limit: 100 },
    { cluster: 'second', used: 90, limit: 100 },
    { cluster: 'empty', used: null, limit: null, gap: 'The database is being resumed after a pause.' },
  ] as const;
  const named = (limits: Readonly<Record<QuotaName, number>> = quotaLimits) =>
    new Map(
      quotasOf({ ...counted, connections }, limits, ['main', 'second', 'empty'], now).map((quota) => [
        quota.name,
        quota,
      ]),
    );

  test('count keys, schemas and databases by the tenants that use one up', () => {
    expect(named().get('api-keys')).toMatchObject({
      used: 8_720,
      limit: 10_000,
      percent: 87.2,
      growthPerDay: 23.1,
      exhaustedOn: '2026-03-28',
      warning: true,
    });
    expect(named().get('schemas:main')).toMatchObject({ used: 301, growthPerDay: 3, warning: false });
    expect(named().get('schemas:second')).toMatchObject({ used: 20, growthPerDay: 0.1 });
    expect(named().get('databases:second')).toMatchObject({ used: 20, growthPerDay: 0.1, exhaustedOn: '2031-01-05' });
    expect(named().get('databases:main')).toMatchObject({ used: 1, growthPerDay: null, exhaustedOn: null });
    expect(named().get('databases:empty')).toMatchObject({ used: 0, limit: 200, percent: 0, warning: false });
    expect(named().get('schemas:empty')).toMatchObject({ used: 0, limit: 1_000, exhaustedOn: null });
    expect(named().get('secrets')).toMatchObject({ used: 20, limit: 500_000, growthPerDay: 0.1 });
    expect(named().get('usage-plans')).toMatchObject({ used: 3, limit: 300, growthPerDay: null });
    expect(named().get('connections:main')).toMatchObject({ used: 30, limit: 100, growthPerDay: null });
    expect(named().get('connections:second')).toMatchObject({ used: 90, percent: 90, warning: true });
  });

  test('name a cluster that did not answer, and why', () => {
    expect(named().get('connections:empty')).toMatchObject({
      used: null,
      limit: null,
      percent: null,
      warning: false,
      source: 'Not known, as the cluster did not answer: The database is being resumed after a pause.',
    });
  });

  test('say how many tenants there are, by plan and by where they live, without a limit', () => {
    expect(named().get('tenants')).toMatchObject({ used: 8_820, limit: null, percent: null, growthPerDay: 23.1 });
    expect(named().get('tenants:pro')).toMatchObject({ used: 300 });
    expect(named().get('tenants:silo')).toMatchObject({ used: 20 });
  });

  test('go by what was raised', () => {
    const raised = named({ ...quotaLimits, apiKeys: 20_000 });
    expect(raised.get('api-keys')).toMatchObject({ limit: 20_000, warning: false });
  });
});

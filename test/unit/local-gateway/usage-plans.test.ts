import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ApiKeyStore } from '../../../local/gateway/api-keys.ts';
import { TokenBucket } from '../../../local/gateway/token-bucket.ts';
import { UsagePlans } from '../../../local/gateway/usage-plans.ts';

let folder: string;
let keys: ApiKeyStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tenantry-keys-'));
  keys = new ApiKeyStore(join(folder, 'keys.json'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const free = { id: 'free', name: 'free', throttle: { rate: 1, burst: 3 }, quota: undefined };
const counted = { id: 'counted', name: 'counted', throttle: undefined, quota: { limit: 2, period: 'MONTH' as const } };
const start = Date.UTC(2026, 0, 31, 23, 59, 0);

const outcome = (plans: UsagePlans, value: string | undefined, now: number): string => {
  try {
    return plans.count(value, now).name;
  } catch (error) {
    return String(Object(error).responseType);
  }
};

describe('a usage plan', () => {
  test('throttles each key by itself', () => {
    const plans = new UsagePlans([free], keys);
    const [one, other] = [keys.add('one', 'free'), keys.add('other', 'free')];
    const burst = [0, 1, 2, 3].map((after) => outcome(plans, one.value, start + after));
    expect(burst).toEqual(['one', 'one', 'one', 'THROTTLED']);
    expect(outcome(plans, other.value, start)).toBe('other');
    expect(outcome(plans, one.value, start + 1_010)).toBe('one');
  });

  test('counts a quota by calendar month', () => {
    const plans = new UsagePlans([counted], keys);
    const { value } = keys.add('one', 'counted');
    expect([0, 1, 2].map(() => outcome(plans, value, start))).toEqual(['one', 'one', 'QUOTA_EXCEEDED']);
    expect(outcome(plans, value, start + 60_000)).toBe('one');
  });

  test('refuses a key that is missing, unknown, or in no plan of the stage', () => {
    const plans = new UsagePlans([free], keys);
    const { value } = keys.add('elsewhere', 'plan-of-another-stage');
    for (const wrong of [undefined, '', 'unknown', value]) {
      expect(outcome(plans, wrong, start)).toBe('INVALID_API_KEY');
    }
  });
});

test('a token bucket never lets more through than its burst and what time has brought', () => {
  const arrivals = fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(arrivals, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 50 }), (gaps, burst, rate) => {
      const bucket = new TokenBucket({ rate, burst }, 0);
      let now = 0;
      let passed = 0;
      for (const gap of gaps) {
        now += gap;
        if (bucket.take(now)) passed += 1;
        expect(passed).toBeLessThanOrEqual(burst + (now / 1_000) * rate + 1e-6);
      }
      expect(passed).toBeGreaterThanOrEqual(Math.min(burst, gaps.length));
    }),
    { seed: 1 },
  );
});

test('keys survive a restart, in a file that only its owner can read', () => {
  const { value } = keys.add('acme', 'free');
  const again = new ApiKeyStore(join(folder, 'keys.json'));
  expect(again.byValue(value)).toMatchObject({ name: 'acme', usagePlanId: 'free', enabled: true });
  expect(again.list()).toEqual(keys.list());
  expect(statSync(join(folder, 'keys.json')).mode & 0o077).toBe(0);
  expect(JSON.parse(readFileSync(join(folder, 'keys.json'), 'utf8'))).toHaveLength(1);
});

test('keys of a file from before they had a time are read', () => {
  const { id, value } = keys.add('acme', 'free');
  const old = [{ id, name: 'acme', value, enabled: true, usagePlanId: 'free' }];
  writeFileSync(join(folder, 'keys.json'), JSON.stringify(old));
  expect(new ApiKeyStore(join(folder, 'keys.json')).byId(id)).toMatchObject({ value, createdAt: 0 });
});

test('a key counts for as long as it is in a plan', () => {
  const plans = new UsagePlans([free], keys);
  const key = keys.add('acme');
  expect(outcome(plans, key.value, start)).toBe('INVALID_API_KEY');
  const attached = keys.setUsagePlan(key, 'free');
  expect(outcome(plans, key.value, start)).toBe('acme');
  keys.remove(attached);
  expect(outcome(plans, key.value, start)).toBe('INVALID_API_KEY');
});

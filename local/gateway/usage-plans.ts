import type { ApiKey, ApiKeyStore } from './api-keys.ts';
import type { UsagePlanDefinition } from './definition.ts';
import { GatewayRefusal } from './gateway-responses.ts';
import { TokenBucket } from './token-bucket.ts';

interface Usage {
  readonly bucket: TokenBucket | undefined;
  period: string;
  requests: number;
}

/** The usage plans of a stage: each key has a token bucket and a quota of its own, as generous as its plan. */
export class UsagePlans {
  readonly #plans: ReadonlyMap<string, UsagePlanDefinition>;
  readonly #keys: ApiKeyStore;
  readonly #usage = new Map<string, Usage>();

  constructor(plans: readonly UsagePlanDefinition[], keys: ApiKeyStore) {
    this.#plans = new Map(plans.map((plan) => [plan.id, plan]));
    this.#keys = keys;
  }

  /**
   * Counts a request of a key.
   *
   * @param now milliseconds since the epoch
   * @throws GatewayRefusal if the key is missing, unknown or disabled, in no plan of the stage, throttled, or over its quota.
   */
  count(value: string | undefined, now = Date.now()): ApiKey {
    const key = value === undefined ? undefined : this.#keys.byValue(value);
    const plan = this.#plans.get(key?.usagePlanId ?? '');
    if (!key?.enabled || !plan) throw new GatewayRefusal('INVALID_API_KEY');
    const usage = this.#usageOf(key, plan, now);
    if (usage.bucket && !usage.bucket.take(now)) throw new GatewayRefusal('THROTTLED');
    if (plan.quota) countAgainstQuota(usage, plan.quota, now);
    return key;
  }

  #usageOf(key: ApiKey, plan: UsagePlanDefinition, now: number): Usage {
    const id = `${plan.id}/${key.id}`;
    const known = this.#usage.get(id);
    if (known) return known;
    const fresh = { bucket: plan.throttle && new TokenBucket(plan.throttle, now), period: '', requests: 0 };
    this.#usage.set(id, fresh);
    return fresh;
  }
}

function countAgainstQuota(usage: Usage, quota: NonNullable<UsagePlanDefinition['quota']>, now: number): void {
  const period = periodOf(quota.period, now);
  if (usage.period !== period) Object.assign(usage, { period, requests: 0 });
  if (usage.requests >= quota.limit) throw new GatewayRefusal('QUOTA_EXCEEDED');
  usage.requests += 1;
}

/** Names the day, week or month (UTC) in which a quota is counted. */
function periodOf(period: 'DAY' | 'WEEK' | 'MONTH', now: number): string {
  const date = new Date(now).toISOString();
  if (period === 'MONTH') return date.slice(0, 7);
  return period === 'DAY' ? date.slice(0, 10) : String(Math.floor((now / 86_400_000 + 3) / 7));
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { APIGatewayClient } from '@aws-sdk/client-api-gateway';
import type { PlanName } from '../contract/index.ts';
import { apiKeyCalls, type CallRates, defaultRates, type NamedKey } from './api-key-calls.ts';

export interface TenantApiKey {
  readonly id: string;
  /** What the authorizer answers as `usageIdentifierKey`. */
  readonly value: string;
}

/** The API key by which API Gateway throttles and counts a tenant. Each function may be made again at any time. */
export interface ApiKeys {
  /**
   * Finds the tenant's key, or that of its plan, or makes it, and sees to it that there is one only and that it is in the plan's usage
   * plan.
   *
   * @throws Error if the key is in another plan's usage plan: `move` is for that
   */
  ensure(tenantId: string, plan: PlanName): Promise<TenantApiKey>;
  /**
   * Takes the tenant's key out of one usage plan and puts it into another. In between it is in none, since API Gateway allows a key one
   * plan a stage: requests of the tenant are then answered 403 `api-key-invalid`.
   *
   * From or to a plan whose tenants share a key, it is another key, and nothing happens to the one before: authorizers may go on answering
   * that one for a while. `removeSpare` is for when they do not any more.
   *
   * @returns the key from now on
   * @throws Error if the tenant has no key, or one in a third plan
   */
  move(tenantId: string, fromPlan: PlanName, toPlan: PlanName): Promise<TenantApiKey>;
  /** Ids of the tenant's keys by which it does not go in this plan: all where tenants of the plan share one, else all but the oldest. */
  findSpare(tenantId: string, plan: PlanName): Promise<string[]>;
  /** Deletes these. */
  removeSpare(tenantId: string, plan: PlanName): Promise<void>;
  /** Deletes every key of the tenant. One that it shares with others stays. */
  remove(tenantId: string): Promise<void>;
  /** Ids of the tenant's keys, without those that are deleted and still listed. */
  find(tenantId: string): Promise<string[]>;
}

export interface ApiKeyOptions {
  /** Set before the tenant's id in the names of keys, which an account's stages share. @default none */
  readonly namePrefix?: string;
  /** Plans whose tenants share one key. @default none */
  readonly sharingPlans?: readonly PlanName[];
  /** @default 1000, see `settled` */
  readonly settleMs?: number;
  /** @default what leaves others a fifth of the account's rates */
  readonly rates?: CallRates;
}

/** Keys that are younger may not be alone: another process may make one in the same second. Leaves a second for clocks that differ. */
const freshMs = 2_000;

/**
 * The API keys of tenants, over API Gateway's management API and within its rates.
 *
 * API Gateway takes any number of keys of one name, so two processes may each make one for a tenant. Both then keep the oldest and
 * delete the others.
 *
 * @param usagePlanIds the usage plan of each plan, all of the same stage
 */
export function apiKeysOf(
  client: APIGatewayClient,
  usagePlanIds: Readonly<Record<PlanName, string>>,
  { namePrefix = '', sharingPlans = [], settleMs = 1_000, rates = defaultRates }: ApiKeyOptions = {},
): ApiKeys {
  const calls = apiKeyCalls(client, rates);

  /**
   * The keys of a name, once their order is final. API Gateway tells the age of a key in whole seconds: among those of one second the id
   * decides, so all of them have to be there before anybody decides. A second after one of them was seen, that second is over.
   */
  const settled = async (name: string): Promise<NamedKey[]> => {
    const keys = await calls.named(name);
    if (keys.length > 0 && keys.every(({ createdAt }) => Date.now() - createdAt >= freshMs)) return keys;
    if (keys.length === 0) await calls.create(name);
    await sleep(settleMs);
    return calls.named(name);
  };

  const deleteAll = async (keys: readonly NamedKey[]): Promise<void> => {
    for (const { id } of keys) await calls.delete(id);
  };

  const ensureNamed = async (name: string, plan: PlanName): Promise<TenantApiKey> => {
    const [kept, ...others] = await settled(name);
    if (!kept) throw new Error(`API Gateway does not list the API key ${name} yet. Try again.`);
    await deleteAll(others);
    await calls.attach(kept.id, usagePlanIds[plan]);
    return { id: kept.id, value: kept.value };
  };
  const shares = (plan: PlanName): boolean => sharingPlans.includes(plan);
  // No tenant can be called like that.
  const ensureShared = (plan: PlanName): Promise<TenantApiKey> => ensureNamed(`${namePrefix}plan:${plan}`, plan);
  const ownKeys = (tenantId: string): Promise<NamedKey[]> => calls.named(namePrefix + tenantId);
  const spareKeys = async (tenantId: string, plan: PlanName): Promise<NamedKey[]> =>
    (await ownKeys(tenantId)).slice(shares(plan) ? 0 : 1);
  /** A list may still have keys that are deleted. */
  const existing = async (keys: readonly NamedKey[]): Promise<string[]> => {
    const found: string[] = [];
    for (const { id } of keys) if (await calls.exists(id)) found.push(id);
    return found;
  };

  return {
    ensure: (tenantId, plan) => (shares(plan) ? ensureShared(plan) : ensureNamed(namePrefix + tenantId, plan)),
    move: async (tenantId, fromPlan, toPlan) => {
      if (shares(toPlan)) return ensureShared(toPlan);
      const [key] = await ownKeys(tenantId);
      if (!key && !shares(fromPlan)) {
        throw new Error(`Tenant ${tenantId} has no API key to move to plan ${toPlan}. Make it with ensure.`);
      }
      if (!key) return ensureNamed(namePrefix + tenantId, toPlan);
      if (fromPlan !== toPlan) await calls.detach(key.id, usagePlanIds[fromPlan]);
      await calls.attach(key.id, usagePlanIds[toPlan]);
      return { id: key.id, value: key.value };
    },
    findSpare: async (tenantId, plan) => existing(await spareKeys(tenantId, plan)),
    removeSpare: async (tenantId, plan) => deleteAll(await spareKeys(tenantId, plan)),
    remove: async (tenantId) => deleteAll(await ownKeys(tenantId)),
    find: async (tenantId) => existing(await ownKeys(tenantId)),
  };
}

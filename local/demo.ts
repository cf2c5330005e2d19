import { Client } from 'pg';
import { apiKeyNamePrefix, mainCluster, mainDatabase, type PlanName, poolSchema } from '../shared/contract/index.ts';
import type { ApiKeyStore } from './gateway/api-keys.ts';
import type { UsagePlanDefinition } from './gateway/definition.ts';

export interface DemoTenant {
  readonly id: string;
  readonly name: string;
  readonly plan: PlanName;
  readonly state: 'active' | 'suspended';
}

/** The tenants of a fresh local stack. */
export const demoTenants: readonly DemoTenant[] = [
  { id: 'acme', name: 'Acme', plan: 'enterprise', state: 'active' },
  { id: 'globex', name: 'Globex', plan: 'pro', state: 'active' },
  { id: 'initech', name: 'Initech', plan: 'free', state: 'active' },
  { id: 'hooli', name: 'Hooli', plan: 'pro', state: 'active' },
  { id: 'umbrella', name: 'Umbrella', plan: 'free', state: 'suspended' },
];

export interface SeedTarget {
  /** Connection strings to the main database. */
  readonly ownerUrl: string;
  readonly controlUrl: string;
  readonly keys: ApiKeyStore;
  /** Of the deployment. */
  readonly stage: string;
  readonly usagePlans: readonly UsagePlanDefinition[];
}

/**
 * Registers the demo tenants that the registry does not have, each at home in the pool and with an API key in its plan's usage plan.
 * Tenants that are there stay as they are; their keys are put back if the key file was lost.
 *
 * @returns how many tenants were added
 */
export async function seedDemoTenants({ ownerUrl, controlUrl, keys, stage, usagePlans }: SeedTarget): Promise<number> {
  await using owner = await connect(ownerUrl);
  await using control = await connect(controlUrl);
  let added = 0;
  for (const tenant of demoTenants) {
    const usagePlanId = usagePlanOf(tenant.plan, usagePlans);
    const keyName = apiKeyNamePrefix(stage) + tenant.id;
    const { rows } = await control.client.query<{ plan: PlanName; api_key: string | null }>(
      'select plan, api_key from registry.tenants where tenant_id = $1',
      [tenant.id],
    );
    const [known] = rows;
    if (known) {
      const { plan, api_key: value } = known;
      if (value !== null && !keys.byValue(value)) keys.add(keyName, usagePlanOf(plan, usagePlans), value);
      continue;
    }
    await owner.client.query('select tenancy.set_placement($1, $2, $3)', [tenant.id, poolSchema, tenant.state]);
    const key = keys.list().find(({ name }) => name === keyName) ?? keys.add(keyName, usagePlanId);
    await control.client.query(
      `insert into registry.tenants (tenant_id, name, plan, state, model, cluster, database, schema, api_key)
       values ($1, $2, $3, $4, 'pool', $5, $6, $7, $8)`,
      [tenant.id, tenant.name, tenant.plan, tenant.state, mainCluster, mainDatabase, poolSchema, key.value],
    );
    added += 1;
  }
  return added;
}

/** Usage plans are called `tenantry-<stage>-<plan>`. */
function usagePlanOf(plan: PlanName, usagePlans: readonly UsagePlanDefinition[]): string {
  const found = usagePlans.find(({ name }) => name.endsWith(`-${plan}`));
  if (found) return found.id;
  throw new Error(`No usage plan of the template is for the plan ${plan}.`);
}

async function connect(connectionString: string): Promise<{ client: Client } & AsyncDisposable> {
  const client = new Client({ connectionString });
  await client.connect();
  return { client, [Symbol.asyncDispose]: () => client.end() };
}

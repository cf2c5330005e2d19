import type { Client } from 'pg';
import {
  apiKeyNamePrefix,
  type DatabaseRole,
  mainCluster,
  mainDatabase,
  type PlanName,
  poolSchema,
  tenantHomeName,
} from '../shared/contract/index.ts';
import type { Placement } from '../shared/tenancy/index.ts';
import type { ApiKeyStore } from './gateway/api-keys.ts';
import type { UsagePlanDefinition } from './gateway/definition.ts';

export interface DemoTenant {
  readonly id: string;
  readonly name: string;
  readonly plan: PlanName;
  readonly state: 'active' | 'suspended';
  readonly placement: Placement;
}

const shared = { cluster: mainCluster, database: mainDatabase } as const;
const pool: Placement = { model: 'pool', ...shared, schema: poolSchema };
const bridge = (id: string): Placement => ({ model: 'bridge', ...shared, schema: tenantHomeName(id) });
const silo = (id: string): Placement => ({
  model: 'silo',
  cluster: 'silos',
  database: tenantHomeName(id),
  schema: tenantHomeName(id),
});

/** The tenants of a fresh local stack: of each plan and each model one at least, on both clusters. */
export const demoTenants: readonly DemoTenant[] = [
  { id: 'acme', name: 'Acme', plan: 'enterprise', state: 'active', placement: silo('acme') },
  { id: 'globex', name: 'Globex', plan: 'pro', state: 'active', placement: bridge('globex') },
  { id: 'initech', name: 'Initech', plan: 'free', state: 'active', placement: pool },
  { id: 'hooli', name: 'Hooli', plan: 'pro', state: 'active', placement: pool },
  { id: 'umbrella', name: 'Umbrella', plan: 'free', state: 'suspended', placement: pool },
];

export interface SeedTarget {
  /** Logs in to a database with the login of a role. */
  readonly connect: (
    role: DatabaseRole,
    where: Pick<Placement, 'cluster' | 'database'>,
  ) => Promise<{ readonly client: Client } & AsyncDisposable>;
  /** Makes a database that is a tenant's alone. @returns the ARN of its login */
  readonly makeDatabase: (tenantId: string, cluster: string) => Promise<string>;
  readonly keys: ApiKeyStore;
  /** Of the deployment. */
  readonly stage: string;
  readonly usagePlans: readonly UsagePlanDefinition[];
}

/**
 * Registers the demo tenants that the registry does not have, each in a home of its model and with an API key in its plan's usage plan.
 * Tenants that are there stay as they are, and where they are; their keys are put back if the key file was lost.
 *
 * @returns how many tenants were added
 */
export async function seedDemoTenants(target: SeedTarget): Promise<number> {
  const { connect, keys, stage, usagePlans } = target;
  await using control = await connect('control', shared);
  let added = 0;
  for (const tenant of demoTenants) {
    const { rows } = await control.client.query<{ plan: PlanName; api_key: string | null }>(
      'select plan, api_key from registry.tenants where tenant_id = $1',
      [tenant.id],
    );
    const keyName = apiKeyNamePrefix(stage) + tenant.id;
    const [known] = rows;
    if (known) {
      const { plan, api_key: value } = known;
      if (value !== null && !keys.byValue(value)) keys.add(keyName, usagePlanOf(plan, usagePlans), value);
      continue;
    }
    const placement = await settle(tenant, target);
    const key =
      keys.list().find(({ name }) => name === keyName) ?? keys.add(keyName, usagePlanOf(tenant.plan, usagePlans));
    await register(control.client, { ...tenant, placement }, key.value);
    added += 1;
  }
  return added;
}

/** Makes a tenant's home, as onboarding does. Done again, it finishes what was begun. */
async function settle({ id, state, placement }: DemoTenant, { connect, makeDatabase }: SeedTarget): Promise<Placement> {
  const { model, cluster, schema } = placement;
  const login = model === 'silo' ? { secretArn: await makeDatabase(id, cluster) } : {};
  await using owner = await connect('owner', placement);
  if (model !== 'pool') await owner.client.query('select tenancy.make_home($1)', [id]);
  await owner.client.query('select tenancy.place($1, $2, $3)', [id, schema, state]);
  return { ...placement, ...login };
}

async function register(control: Client, { id, name, plan, state, placement }: DemoTenant, key: string): Promise<void> {
  const { model, cluster, database, schema, secretArn } = placement;
  await control.query(
    `insert into registry.tenants (tenant_id, name, plan, state, model, cluster, database, schema, secret_arn, api_key)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [id, name, plan, state, model, cluster, database, schema, secretArn, key],
  );
}

/** Usage plans are called `tenantry-<stage>-<plan>`. */
function usagePlanOf(plan: PlanName, usagePlans: readonly UsagePlanDefinition[]): string {
  const found = usagePlans.find(({ name }) => name.endsWith(`-${plan}`));
  if (found) return found.id;
  throw new Error(`No usage plan of the template is for the plan ${plan}.`);
}

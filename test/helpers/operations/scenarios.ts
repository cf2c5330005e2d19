import type { Step } from '../../../functions/operations/step.ts';
import { operationSteps } from '../../../functions/operations/steps.ts';
import { type PlanName, tenantHomeName } from '../../../shared/contract/index.ts';
import type { OperationRequest } from '../../../shared/control/operations.ts';
import type { KnownKind, OperationInput, TenantRecord } from '../../../shared/control/operations-schema.ts';
import type { Placement } from '../../../shared/tenancy/index.ts';
import { isSoak } from '../soak.ts';

/**
 * Operations beyond one of each kind: one that onboards a tenant from an export; tenants that are suspended, or whose plan has an API key that
 * all share; and tenants with a schema or a database of their own.
 */
const more = {
  restore: 'onboard',
  'change-plan to a shared key': 'change-plan',
  'change-plan from a shared key': 'change-plan',
  'export of a suspended tenant': 'export',
  'offboard of a suspended tenant': 'offboard',
  'offboard without an export': 'offboard',
  'onboard a bridge': 'onboard',
  'offboard a bridge': 'offboard',
  'onboard a silo': 'onboard',
  'offboard a silo': 'offboard',
} as const;
export type Scenario = KnownKind | keyof typeof more;
const scenarios = [...Object.keys(operationSteps), ...Object.keys(more)] as readonly Scenario[];
/** What differs little from others and has many steps is for the long form. */
const soakOnly: readonly Scenario[] = [
  'export of a suspended tenant',
  'offboard of a suspended tenant',
  'offboard without an export',
];
export type ScenarioGroup = 'pool' | 'exports' | 'bridge' | 'silo';
/** A group has to do with tenants' homes of that kind, with exports, or with neither. Each scenario is in one. */
export const scenariosOf = (group: ScenarioGroup): readonly Scenario[] =>
  scenarios.filter((scenario) => groupOf(scenario) === group && (isSoak || !soakOnly.includes(scenario)));

function groupOf(scenario: Scenario): ScenarioGroup {
  if (scenario.endsWith('a bridge')) return 'bridge';
  if (scenario.endsWith('a silo')) return 'silo';
  return scenario === 'restore' || ['export', 'offboard'].includes(kindOf(scenario)) ? 'exports' : 'pool';
}

const isMore = (scenario: Scenario): scenario is keyof typeof more => Object.hasOwn(more, scenario);
export const kindOf = (scenario: Scenario): KnownKind => (isMore(scenario) ? more[scenario] : scenario);

/** Tenants of this plan share an API key. */
export const sharingPlan: PlanName = 'enterprise';
export const planBefore = (scenario: Scenario): PlanName =>
  scenario === 'change-plan from a shared key' ? sharingPlan : 'free';
const planAfter = (scenario: Scenario): PlanName => (scenario === 'change-plan to a shared key' ? sharingPlan : 'pro');

/** What a tenant is before; undefined if there is none. */
export function stateBefore(scenario: Scenario): 'active' | 'suspended' | undefined {
  if (kindOf(scenario) === 'onboard') return undefined;
  return scenario === 'activate' || scenario.endsWith('of a suspended tenant') ? 'suspended' : 'active';
}

/** Where the tenant lives, or is to live. */
export function placementIn(scenario: Scenario, tenantId: string, pool: Placement): Placement {
  const home = tenantHomeName(tenantId);
  if (scenario.endsWith('a bridge')) return { ...pool, model: 'bridge', schema: home };
  return scenario.endsWith('a silo') ? { ...pool, model: 'silo', database: home, schema: home } : pool;
}

/** @param from the operation whose export is restored */
export function requestOf(
  scenario: Scenario,
  tenantId: string,
  pool: Placement,
  from = '0190a0a0-0000-7000-8000-000000000000',
): OperationRequest {
  const kind = kindOf(scenario);
  const inputs: { readonly [Kind in KnownKind]: OperationInput<Kind> } = {
    onboard: {
      name: 'New',
      plan: planAfter(scenario),
      placement: placementIn(scenario, tenantId, pool),
      ...(scenario === 'restore' && { from }),
    },
    activate: {},
    suspend: {},
    'change-plan': { plan: planAfter(scenario) },
    'change-limits': { burst: 5, requestsPerMinute: 30 },
    rename: { name: 'Renamed' },
    export: {},
    offboard: { export: scenario !== 'offboard without an export' },
  };
  return { kind, tenantId, input: inputs[kind], actor: 'olga' };
}

/** Steps that such an operation has, in their order. */
export function stepsOfScenario(scenario: Scenario): readonly Pick<Step<KnownKind>, 'name' | 'isFinal'>[] {
  const pool = { model: 'pool', cluster: 'main', database: 'tenantry', schema: 'pool' } as const;
  const placement = placementIn(scenario, 'acme', pool);
  const before: TenantRecord = {
    name: 'A',
    plan: planBefore(scenario),
    limits: null,
    state: stateBefore(scenario) ?? 'active',
    placement,
  };
  const { input } = requestOf(scenario, 'acme', pool);
  const steps = operationSteps[kindOf(scenario)] as readonly Step<KnownKind>[];
  return steps.filter((step) => step.isWanted?.({ operationId: '', tenantId: 'acme', input, before }) ?? true);
}

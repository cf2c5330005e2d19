import type { Step } from '../../../functions/operations/step.ts';
import { operationSteps } from '../../../functions/operations/steps.ts';
import type { PlanName } from '../../../shared/contract/index.ts';
import type { OperationRequest } from '../../../shared/control/operations.ts';
import type { KnownKind, TenantRecord } from '../../../shared/control/operations-schema.ts';
import type { TestTenantDatabase } from '../tenant-database.ts';

/** An operation of each kind; and `restore`, which is one that onboards a tenant from an export. */
export type Scenario = KnownKind | 'restore';
export const scenarios = [...Object.keys(operationSteps), 'restore'] as readonly Scenario[];

export const kindOf = (scenario: Scenario): KnownKind => (scenario === 'restore' ? 'onboard' : scenario);

export const planBefore: PlanName = 'free';
const planAfter: PlanName = 'pro';

/** What a tenant is before; undefined if there is none. */
export function stateBefore(scenario: Scenario): 'active' | 'suspended' | undefined {
  if (kindOf(scenario) === 'onboard') return undefined;
  return scenario === 'activate' ? 'suspended' : 'active';
}

/** @param from the operation whose export is restored */
export function requestOf(
  scenario: Scenario,
  tenantId: string,
  { postgres }: Pick<TestTenantDatabase, 'postgres'>,
  from = '0190a0a0-0000-7000-8000-000000000000',
): OperationRequest {
  const onboard = { name: 'New', plan: planAfter, placement: postgres.placement };
  const inputs = {
    onboard,
    restore: { ...onboard, from },
    activate: {},
    suspend: {},
    'change-plan': { plan: planAfter },
    export: {},
    offboard: { export: true },
  };
  return { kind: kindOf(scenario), tenantId, input: inputs[scenario], actor: 'olga' };
}

/** Steps that such an operation has, in their order. */
export function stepsOfScenario(scenario: Scenario): readonly Pick<Step<KnownKind>, 'name' | 'isFinal'>[] {
  const placement = { model: 'pool', cluster: 'main', database: 'tenantry', schema: 'pool' } as const;
  const before: TenantRecord = { name: 'A', plan: planBefore, state: stateBefore(scenario) ?? 'active', placement };
  const { input } = requestOf(scenario, 'acme', { postgres: { placement } } as TestTenantDatabase);
  const steps = operationSteps[kindOf(scenario)] as readonly Step<KnownKind>[];
  return steps.filter((step) => step.isWanted?.({ operationId: '', tenantId: 'acme', input, before }) ?? true);
}

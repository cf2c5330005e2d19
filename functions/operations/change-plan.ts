import type { PlanName } from '../../shared/contract/index.ts';
import type { Ports } from './ports.ts';
import { flushAuthorizers, type Step, type Subject, tenantBefore } from './step.ts';

/** Moves the tenant's API key to another usage plan; its requests are limited and counted there from then on. */
export const changePlan: readonly Step<'change-plan'>[] = [
  {
    name: 'move-api-key',
    run: (subject, ports) => moveKey(subject, ports, tenantBefore(subject).plan, subject.input.plan),
    undo: (subject, ports) => moveKey(subject, ports, subject.input.plan, tenantBefore(subject).plan),
  },
  {
    name: 'set-plan',
    run: ({ tenantId, input }, { registry }) => registry.setPlan(tenantId, input.plan),
    undo: async (subject, { registry, gateway }) => {
      await registry.setPlan(subject.tenantId, tenantBefore(subject).plan);
      // Authorizers may have said since what is not true any more.
      await gateway.flushAuthorizersCache();
    },
  },
  flushAuthorizers,
];

/** The registry is told, since it is another key where tenants of a plan share one. */
async function moveKey(
  { tenantId }: Subject<'change-plan'>,
  { apiKeys, registry }: Ports,
  from: PlanName,
  to: PlanName,
): Promise<void> {
  await registry.setApiKey(tenantId, await apiKeys.move(tenantId, from, to));
}

import type { PlanName } from '../../shared/contract/index.ts';
import type { Ports } from './ports.ts';
import { flushAuthorizers, type Step, type Subject, tenantBefore } from './step.ts';

/** Moves the tenant's API key to another usage plan; its requests are limited and counted there from then on. */
export const changePlan: readonly Step<'change-plan'>[] = [
  {
    name: 'move-api-key',
    run: (subject, ports) => moveKey(subject, ports, tenantBefore(subject).plan, subject.input.plan),
    undo: async (subject, ports) => {
      await moveKey(subject, ports, subject.input.plan, tenantBefore(subject).plan);
      // It may be another key than authorizers have answered since, or before.
      await ports.gateway.flushAuthorizersCache();
    },
  },
  {
    name: 'set-plan',
    run: (subject, { registry }) => registry.setPlan(subject, subject.input.plan),
    undo: async (subject, { registry, gateway }) => {
      await registry.setPlan(subject, tenantBefore(subject).plan);
      // Authorizers may have said since what is not true any more.
      await gateway.flushAuthorizersCache();
    },
  },
  flushAuthorizers,
];

/** The registry is told, since it is another key where tenants of a plan share one. */
async function moveKey(
  subject: Subject<'change-plan'>,
  { apiKeys, registry }: Ports,
  from: PlanName,
  to: PlanName,
): Promise<void> {
  await registry.setApiKey(subject, await apiKeys.move(subject.tenantId, from, to));
}

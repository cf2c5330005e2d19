import { flushAuthorizers, type Step, tenantBefore } from './step.ts';

/** Moves the tenant's API key to another usage plan; its requests are limited and counted there from then on. */
export const changePlan: readonly Step<'change-plan'>[] = [
  {
    name: 'move-api-key',
    run: (subject, { apiKeys }) => apiKeys.move(subject.tenantId, tenantBefore(subject).plan, subject.input.plan),
    undo: (subject, { apiKeys }) => apiKeys.move(subject.tenantId, subject.input.plan, tenantBefore(subject).plan),
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

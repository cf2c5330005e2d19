import { flushAuthorizers, type Step, tenantBefore } from './step.ts';

/** Changes what a tenant may do where that is less than its plan grants. */
export const changeLimits: readonly Step<'change-limits'>[] = [
  {
    name: 'set-limits',
    run: (subject, { registry }) => registry.setLimits(subject, subject.input),
    undo: async (subject, { registry, gateway }) => {
      await registry.setLimits(subject, tenantBefore(subject).limits ?? {});
      // Authorizers may have said since what is not true any more.
      await gateway.flushAuthorizersCache();
    },
  },
  flushAuthorizers,
];
